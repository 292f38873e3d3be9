from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from controlplane.localcloud.faults import Fault, Faults
from controlplane.localcloud.instant.app import app
from controlplane.localcloud.instant.engine import App, Engine
from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.permissions import ADMIN, GUEST
from tests.plugins.instant import InstantCloud, product, serving, tenant

SHOP = "11111111-1111-4111-8111-111111111111"
MUG = "22222222-2222-4222-8222-222222222222"
OTHER = "33333333-3333-4333-8333-333333333333"


def everything(engine: Engine) -> dict[str, Any]:
    return engine.query(ADMIN, {"tenants": {"products": {}}, "products": {}})


@pytest.fixture
def engine(instant_engine: Engine) -> Engine:
    steps = [
        ["update", "tenants", SHOP, tenant()],
        ["update", "products", MUG, product(SHOP)],
        ["link", "products", MUG, {"tenant": SHOP}],
    ]
    instant_engine.transact(ADMIN, steps)
    return instant_engine


def test_a_guest_sees_the_products_of_an_active_tenant_and_nothing_of_the_tenant(engine: Engine) -> None:
    assert engine.query(GUEST, {"tenants": {"products": {}}, "products": {"tenant": {}}}) == {
        "tenants": [],
        "products": [{**everything(engine)["products"][0], "tenant": []}],
    }


@pytest.mark.parametrize(
    "steps",
    [
        [["update", "products", MUG, {"price": 1}]],
        [["merge", "products", MUG, {"tags": {}}]],
        [["delete", "products", MUG]],
        [["delete", "tenants", SHOP]],
        [["create", "products", OTHER, product(SHOP, 1)]],
        [["update", "tenants", ["slug", "mine"], {"name": "a", "status": "a", "currency": "a", "locale": "a"}]],
        [["update", "tenants", ["slug", "nordkap"], {"name": "Mine"}]],
        [["unlink", "products", MUG, {"tenant": SHOP}]],
        [["link", "tenants", SHOP, {"products": [MUG]}]],
    ],
)
def test_a_guest_changes_nothing(engine: Engine, steps: list[Any]) -> None:
    before = everything(engine)
    with pytest.raises(Refusal) as caught:
        engine.transact(GUEST, steps)
    assert (caught.value.kind, caught.value.message) == ("permission-denied", "Permission denied: not perms-pass?")
    assert caught.value.hint == {"input": [caught.value.hint["input"][0], "object"], "expected": "perms-pass?"}
    assert everything(engine) == before


def test_a_guest_changes_no_schema(engine: Engine) -> None:
    colour = {"id": OTHER, "forward-identity": [OTHER, "products", "colour"], "value-type": "blob"}
    added = ["add-attr", {**colour, "cardinality": "one", "unique?": False, "index?": False}]
    title = engine.store.attrs.forward("products", "title")
    assert title
    for step in (added, ["delete-attr", title.id]):
        with pytest.raises(Refusal) as caught:
            engine.transact(GUEST, [step])
        assert caught.value.hint["input"] == ["attrs", "attr"]
    assert engine.store.attrs.forward("products", "colour") is None
    assert engine.store.attrs.forward("products", "title") == title


def test_a_namespace_without_a_view_rule_is_empty_nested_and_no_path_leads_through_it(tmp_path: Path) -> None:
    rules = {"$default": {"allow": {"$default": "false"}}, "products": {"allow": {"view": "true"}}}
    engine = Engine(App(rules=rules), tmp_path / "closed.sqlite3")
    steps = [["update", "tenants", SHOP, tenant()], ["update", "products", MUG, product(SHOP)]]
    engine.transact(ADMIN, [*steps, ["link", "products", MUG, {"tenant": SHOP}]])
    answer = engine.query(GUEST, {"tenants": {}, "products": {"tenant": {}}})
    assert (answer["tenants"], answer["products"][0]["tenant"]) == ([], [])
    assert engine.query(GUEST, {"products": {"$": {"where": {"tenant.slug": "nordkap"}}}}) == {"products": []}
    engine.close()


# Over HTTP


@pytest.mark.parametrize(
    ("headers", "kind", "message"),
    [
        ({"app_id": None}, "param-missing", 'Missing parameter: ["headers" "app-id"]'),
        ({"app_id": "x"}, "param-malformed", 'Malformed parameter: ["headers" "app-id"]'),
        ({"app_id": OTHER}, "record-not-found", "Record not found: app"),
        ({"authorization": None}, "param-missing", 'Missing parameter: ["headers" "authorization"]'),
        ({"authorization": "Bearer x"}, "param-malformed", 'Malformed parameter: ["headers" "authorization"]'),
        ({"authorization": f"Bearer {OTHER}"}, "record-not-found", "Record not found: app-admin-token"),
        ({"as_token": "x"}, "param-malformed", 'Malformed parameter: ["asUser" "token"]'),
        ({"as_token": OTHER}, "record-not-found", "Record not found: app-user"),
        ({"as_email": "a@b.c"}, "record-not-found", "Record not found: app-user"),
        ({"as_email": "a@b.c", "authorization": None}, "param-missing", None),
    ],
)
def test_who_may_not_ask_is_told_why_with_400(
    instant_cloud: InstantCloud, headers: dict[str, str | None], kind: str, message: str | None
) -> None:
    for path, body in (("/admin/query", {"query": {"products": {}}}), ("/admin/transact", {"steps": []})):
        response = instant_cloud.post(path, body, **headers)
        assert response.status_code == 400
        assert response.json().keys() == {"type", "message", "hint", "trace-id"}
        assert (response.json()["type"], response.json()["message"]) == (kind, message or response.json()["message"])


def test_a_guest_needs_no_token_and_the_app_id_may_stand_in_the_address(instant_cloud: InstantCloud) -> None:
    path = f"/admin/query?app_id={instant_cloud.app_id}"
    response = instant_cloud.post(path, {"query": {"products": {}}}, app_id=None, authorization=None, as_guest="true")
    assert (response.status_code, response.json()) == (200, {"products": []})


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("/admin/query", {}, "param-missing"),
        ("/admin/query", {"query": []}, "param-malformed"),
        ("/admin/query", [], "param-malformed"),
        ("/admin/query", {"query": {"products": 1}}, "validation-failed"),
        ("/admin/transact", {}, "param-missing"),
        ("/admin/transact", {"steps": {}}, "param-malformed"),
    ],
)
def test_a_malformed_body_is_refused(instant_cloud: InstantCloud, path: str, body: Any, kind: str) -> None:
    response = instant_cloud.post(path, body)
    assert (response.status_code, response.json()["type"]) == (400, kind)


def test_the_data_survives_a_restart_and_transaction_ids_go_on(tmp_path: Path) -> None:
    ids = []
    for price in (1, 2):
        with serving(tmp_path) as uri:
            cloud = InstantCloud(uri, Faults(), tmp_path)
            steps = [["update", "products", MUG, product(SHOP, price=price)]]
            ids.append(cloud.post("/admin/transact", {"steps": steps}).json()["tx-id"])
    with serving(tmp_path) as uri:
        assert InstantCloud(uri, Faults(), tmp_path).entities("products")[MUG]["price"] == 2
    assert ids[1] > ids[0]


def test_two_apps_share_nothing(tmp_path: Path) -> None:
    second = App(id=OTHER, admin_token=MUG)
    with serving(tmp_path, apps=(App(), second)) as uri:
        one = InstantCloud(uri, Faults(), tmp_path)
        two = InstantCloud(uri, Faults(), tmp_path, second.id, second.admin_token)
        steps = [["update", "products", MUG, product(SHOP)]]
        two.post("/admin/transact", {"steps": steps})
        assert (len(one.entities("products")), len(two.entities("products"))) == (0, 1)
        assert one.post("/admin/query", {"query": {}}, app_id=OTHER).status_code == 400


def test_a_fault_strikes_the_route_it_names(instant_cloud: InstantCloud) -> None:
    instant_cloud.faults.set([Fault(path="/admin/transact", kind="status", status=503, times=1)])
    assert instant_cloud.post("/admin/query", {"query": {}}).status_code == 200
    assert instant_cloud.post("/admin/transact", {"steps": []}).status_code == 503
    assert instant_cloud.post("/admin/transact", {"steps": []}).status_code == 200


def test_a_bug_of_the_stand_in_looks_like_one_of_the_vendor(tmp_path: Path) -> None:
    starlette = app(tmp_path)
    (engine,) = starlette.state.engines.values()
    engine.close()
    with TestClient(starlette, raise_server_exceptions=False) as client:
        headers = {"app-id": engine.app.id, "as-guest": "true"}
        response = client.post("/admin/query", json={"query": {"products": {}}}, headers=headers)
    assert (response.status_code, response.json()["type"]) == (500, "unknown")


def test_the_home_page_says_what_it_is_and_counts(instant_cloud: InstantCloud) -> None:
    instant_cloud.post("/admin/transact", {"steps": [["update", "products", MUG, product(SHOP)]]})
    page = httpx.get(instant_cloud.api_uri).text
    assert "stand-in" in page
    assert "<td>products<td>1" in page


def test_the_app_makes_its_directory_and_runs_without_a_lifespan(tmp_path: Path) -> None:
    starlette = app(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    for engine in starlette.state.engines.values():
        engine.close()
