import datetime
import json
import logging
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest

from controlplane.adapters.errors import AdapterError
from controlplane.adapters.instant import InstantApp
from controlplane.localcloud.faults import Fault
from tests.plugins.instant import InstantCloud, product, tenant

SHOP = "11111111-1111-4111-8111-111111111111"
MUG = "22222222-2222-4222-8222-222222222222"
LINK = {MUG: {"tenant": SHOP}}


@pytest.fixture
def instant(instant_cloud: InstantCloud) -> Iterator[InstantApp]:
    with opened(instant_cloud) as instant:
        yield instant


def opened(cloud: InstantCloud, **changed: str) -> InstantApp:
    settings = {"app_id": cloud.app_id, "admin_token": cloud.admin_token, "api_uri": cloud.api_uri}
    return InstantApp(**{**settings, **changed})  # type: ignore[arg-type]


def failure(instant: InstantApp, **changed: Any) -> AdapterError:
    with pytest.raises(AdapterError) as caught:
        instant.put("products", {MUG: product(SHOP, **changed)})
    return caught.value


def products(count: int) -> Mapping[str, Mapping[str, object]]:
    return {str(UUID(int=number + 1)): product(SHOP, number) for number in range(count)}


def test_entities_and_links_are_written_under_our_ids_and_writing_them_again_changes_nothing(
    instant: InstantApp, instant_cloud: InstantCloud
) -> None:
    for _ in range(2):
        instant.put("tenants", {SHOP: tenant()})
        instant.put("products", {MUG: product(SHOP)}, LINK)
    assert instant_cloud.entities("tenants") == {SHOP: {**tenant(), "id": SHOP}}
    assert instant_cloud.entities("products") == {MUG: {**product(SHOP), "id": MUG, "tenant": SHOP}}


def test_none_is_written_as_null(instant: InstantApp, instant_cloud: InstantCloud) -> None:
    instant.put("products", {MUG: product(SHOP, stock=3)})
    instant.put("products", {MUG: {"stock": None}})
    assert instant_cloud.entities("products")[MUG]["stock"] is None


def test_a_large_put_and_delete_go_in_transactions_of_100(instant_cloud: InstantCloud) -> None:
    sent = []

    class Counting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            sent.append(len(json.loads(request.content)["steps"]))
            return super().handle_request(request)

    with InstantApp(
        app_id=instant_cloud.app_id,
        admin_token=instant_cloud.admin_token,
        api_uri=instant_cloud.api_uri,
        transport=Counting(),
    ) as instant:
        instant.put("products", products(250))
        assert len(instant_cloud.entities("products")) == 250
        instant.delete("products", products(250))
    assert instant_cloud.entities("products") == {}
    assert sent == [100, 100, 50] * 2


def test_a_slice_is_written_whole_or_not_at_all(instant: InstantApp, instant_cloud: InstantCloud) -> None:
    with pytest.raises(AdapterError):
        instant.put("products", {**products(3), MUG: product(SHOP, price="free")})
    assert instant_cloud.entities("products") == {}


def test_deleting_what_is_not_there_is_not_an_error(instant: InstantApp, instant_cloud: InstantCloud) -> None:
    instant.put("products", {MUG: product(SHOP)})
    instant.delete("products", [MUG, SHOP])
    instant.delete("products", [MUG])
    instant.delete("products", [])
    assert instant_cloud.entities("products") == {}


def test_ids_lists_what_matches(instant: InstantApp) -> None:
    instant.put("products", products(12))
    instant.put("products", {MUG: product(MUG)})
    assert instant.ids("products", {"tenantId": SHOP}) == set(products(12))
    assert instant.ids("products", {}) == {*products(12), MUG}
    assert instant.ids("products", {"id": {"$in": [UUID(MUG)]}}) == {MUG}


def test_a_query_nests_links(instant: InstantApp) -> None:
    instant.put("tenants", {SHOP: tenant()})
    instant.put("products", {MUG: product(SHOP)}, LINK)
    answer = instant.query({"tenants": {"$": {"where": {"slug": "nordkap"}}, "products": {}}})
    assert answer["tenants"][0]["products"][0]["id"] == MUG


def test_a_misspelt_attribute_is_refused_even_by_a_server_that_would_create_it(instant_cloud: InstantCloud) -> None:
    bodies = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.read())
        return httpx.Response(200, json={"tx-id": 1})

    with InstantApp(
        app_id=SHOP, admin_token=MUG, api_uri="http://instant.test/", transport=httpx.MockTransport(answer)
    ) as instant:
        instant.put("products", {MUG: {"pirce": 1}})
    assert b'"throw-on-missing-attrs?":true' in bodies[0]


def test_uuids_and_times_are_converted(instant: InstantApp, instant_cloud: InstantCloud) -> None:
    at = datetime.datetime(2026, 11, 24, 12, 0, tzinfo=datetime.UTC)
    instant.put("products", {MUG: product(SHOP, tenantId=UUID(SHOP), updatedAt=at, tags=("a", UUID(MUG)))})
    stored = instant_cloud.entities("products")[MUG]
    assert (stored["tenantId"], stored["updatedAt"]) == (SHOP, "2026-11-24T12:00:00+00:00")
    assert stored["tags"] == ["a", MUG]


@pytest.mark.parametrize("price", [Decimal("1.5"), float("nan"), object(), b"1"])
def test_what_json_cannot_carry_is_refused_before_it_is_sent(instant_cloud: InstantCloud, price: object) -> None:
    with opened(instant_cloud, api_uri="http://127.0.0.1:9") as unreachable:
        error = failure(unreachable, price=price)
    assert error.permanent
    assert error.message.startswith("products.price: ")


def test_a_value_of_the_wrong_type_is_a_permanent_failure_in_the_vendors_words(instant: InstantApp) -> None:
    error = failure(instant, price="free")
    assert error.permanent
    assert error.message == (
        "Instant refused: Invalid value type for products.price. "
        "Value must be a number but the provided value type is string."
    )


@pytest.mark.parametrize("token", ["33333333-3333-4333-8333-333333333333", "not-even-a-uuid"])
def test_a_wrong_token_is_a_permanent_failure_that_does_not_show_it(
    instant_cloud: InstantCloud, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(instant_cloud, admin_token=token) as instant:
        error = failure(instant)
    assert error.permanent
    assert token not in error.message
    assert token not in caplog.text


@pytest.mark.parametrize(("status", "permanent"), [(400, True), (404, True), (429, False), (500, False), (503, False)])
def test_the_status_says_whether_to_try_again(
    instant: InstantApp, instant_cloud: InstantCloud, status: int, permanent: bool
) -> None:
    instant_cloud.faults.set([Fault(path="/admin/", kind="status", status=status, retry_after=7)])
    error = failure(instant)
    assert (error.permanent, error.retry_after) == (permanent, 7)
    assert error.message == f"Instant refused: HTTP status {status}"


def test_the_wait_of_an_earlier_failure_is_not_repeated(instant: InstantApp, instant_cloud: InstantCloud) -> None:
    instant_cloud.faults.set([Fault(kind="status", status=429, retry_after=7, times=1)])
    failure(instant)
    assert failure(instant, price="free").retry_after is None


@pytest.mark.parametrize(
    ("body", "permanent", "wait"),
    [
        ({"type": "rate-limited", "message": "Slow down.", "hint": {"retry-after": 3}}, False, 3),
        ({"type": "app-read-only", "message": "This app is in read-only mode.", "hint": {}}, False, None),
        ({"type": "validation-failed", "message": "No.", "hint": None}, True, None),
        ([], True, None),
    ],
)
def test_the_vendors_type_and_hint_are_heeded(body: object, permanent: bool, wait: float | None) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(400, json=body))
    with InstantApp(app_id=SHOP, admin_token=MUG, api_uri="http://instant.test", transport=transport) as instant:
        error = failure(instant)
    assert (error.permanent, error.retry_after) == (permanent, wait)


def test_a_broken_connection_is_transient(instant: InstantApp, instant_cloud: InstantCloud) -> None:
    instant_cloud.faults.set([Fault(path="/admin/", kind="drop")])
    assert not failure(instant).permanent
    with opened(instant_cloud, api_uri="http://127.0.0.1:9") as unreachable:
        assert not failure(unreachable).permanent


@pytest.mark.parametrize("error", [httpx.ReadTimeout("t"), httpx.ConnectTimeout("t"), httpx.RemoteProtocolError("t")])
def test_a_time_out_or_a_protocol_error_is_transient(error: httpx.TransportError) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error

    transport = httpx.MockTransport(fail)
    with InstantApp(app_id=SHOP, admin_token=MUG, api_uri="http://instant.test", transport=transport) as instant:
        assert not failure(instant).permanent


def test_an_answer_that_is_not_json_is_transient() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<h1>Welcome to the hotel</h1>"))
    with InstantApp(app_id=SHOP, admin_token=MUG, api_uri="http://instant.test", transport=transport) as instant:
        assert not failure(instant).permanent
