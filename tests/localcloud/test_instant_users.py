"""Signing in and out as a browser and as the admin do it, over HTTP."""

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from controlplane.localcloud.faults import Faults
from controlplane.localcloud.instant.engine import App
from controlplane.localcloud.instant.system import SYSTEM_ATTRS, attr_id
from tests.plugins.instant import InstantCloud, serving

EMAIL = "mara@example.com"


@pytest.fixture
def open_cloud(tmp_path: Path) -> Iterator[InstantCloud]:
    """An app without rules, where anybody may sign up by e-mail; the storefront's do not let them."""
    with serving(tmp_path, apps=(App(rules={}),)) as uri:
        yield InstantCloud(uri, Faults(), tmp_path)


def runtime(cloud: InstantCloud, path: str, **body: Any) -> httpx.Response:
    """A browser's call: no header of the app, its id in the body."""
    return httpx.post(f"{cloud.api_uri}/runtime/{path}", json={"app-id": cloud.app_id, **body}, timeout=10)


def guest(cloud: InstantCloud) -> dict[str, Any]:
    user: dict[str, Any] = runtime(cloud, "auth/sign_in_guest").json()["user"]
    return user


def code_for(cloud: InstantCloud, email: str = EMAIL) -> str:
    return str(cloud.post("/admin/magic_code", {"email": email}).json()["code"])


def test_system_attributes_have_the_vendors_ids() -> None:
    assert attr_id("$users", "email") == "96653230-13ff-ffff-a4b4-46010bffffff"
    assert attr_id("$users", "id") == "96653230-13ff-ffff-a4b4-81ffffffffff"
    assert len({attr.id for attr in SYSTEM_ATTRS}) == len(SYSTEM_ATTRS)


def test_a_guest_signs_in_and_the_token_brings_the_same_user_back(instant_cloud: InstantCloud) -> None:
    user = guest(instant_cloud)
    assert user["type"] == "guest"
    assert uuid.UUID(user["id"])
    again = runtime(instant_cloud, "auth/verify_refresh_token", **{"refresh-token": user["refresh_token"]})
    assert (again.status_code, again.json()["user"]) == (200, user)


def test_no_token_and_no_code_can_be_read_from_the_database(instant_cloud: InstantCloud) -> None:
    token, code = guest(instant_cloud)["refresh_token"], code_for(instant_cloud)
    database = sqlite3.connect(instant_cloud.data / f"{instant_cloud.app_id}.sqlite3")
    stored = " ".join(row[0] for row in database.execute("SELECT value FROM triple"))
    database.close()
    assert "hashedToken" not in stored
    assert token not in stored
    assert f'"{code}"' not in stored


def test_signing_out_ends_that_token_only(instant_cloud: InstantCloud) -> None:
    one, two = guest(instant_cloud), guest(instant_cloud)
    body = {"app_id": instant_cloud.app_id, "refresh_token": one["refresh_token"]}
    assert httpx.post(f"{instant_cloud.api_uri}/runtime/signout", json=body).json() == {}
    gone = runtime(instant_cloud, "auth/verify_refresh_token", **{"refresh-token": one["refresh_token"]})
    assert (gone.status_code, gone.json()["hint"]["record-type"]) == (400, "app-user")
    kept = runtime(instant_cloud, "auth/verify_refresh_token", **{"refresh-token": two["refresh_token"]})
    assert kept.status_code == 200


def test_a_magic_code_is_written_to_the_console_and_makes_the_guest_a_user(
    open_cloud: InstantCloud, capsys: pytest.CaptureFixture[str]
) -> None:
    visitor = guest(open_cloud)
    assert runtime(open_cloud, "auth/send_magic_code", email=f" {EMAIL.upper()}").json() == {"sent": True}
    code = capsys.readouterr().err.strip()[-6:]
    body = {"email": EMAIL, "code": code, "refresh-token": visitor["refresh_token"]}
    signed = runtime(open_cloud, "auth/verify_magic_code", **body).json()
    assert signed["created"]
    assert (signed["user"]["id"], signed["user"]["type"], signed["user"]["email"]) == (visitor["id"], "user", EMAIL)
    used = runtime(open_cloud, "auth/verify_magic_code", **body)
    assert (used.status_code, used.json()["hint"]["record-type"]) == (400, "app-user-magic-code")


def test_a_guest_whose_address_is_known_is_linked_to_that_user(instant_cloud: InstantCloud) -> None:
    known = instant_cloud.post("/admin/refresh_tokens", {"email": EMAIL}).json()["user"]
    visitor = guest(instant_cloud)
    body = {"email": EMAIL, "code": code_for(instant_cloud), "refresh-token": visitor["refresh_token"]}
    signed = runtime(instant_cloud, "auth/verify_magic_code", **body).json()
    assert (signed["created"], signed["user"]["id"]) == (False, known["id"])
    query = {"query": {"$users": {"$": {"where": {"id": visitor["id"]}}, "linkedPrimaryUser": {}}}}
    (linked,) = instant_cloud.post("/admin/query", query).json()["$users"]
    assert [primary["id"] for primary in linked["linkedPrimaryUser"]] == [known["id"]]


def test_a_wrong_code_is_refused_and_too_many_are_too(open_cloud: InstantCloud) -> None:
    answers = [runtime(open_cloud, "auth/verify_magic_code", email=EMAIL, code="x").json() for _ in range(21)]
    assert [answer["type"] for answer in answers] == ["record-not-found"] * 20 + ["rate-limited"]


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [
        ("auth/sign_in_guest", {"app-id": "x"}, "param-malformed"),
        ("auth/sign_in_guest", {"app-id": str(uuid.uuid4())}, "record-not-found"),
        ("auth/sign_in_guest", {"extra-fields": {"nick": "M"}}, "validation-failed"),
        ("auth/sign_in_guest", {"extra-fields": {"email": EMAIL}}, "validation-failed"),
        ("auth/sign_in_guest", {"extra-fields": []}, "param-malformed"),
        ("auth/verify_refresh_token", {}, "param-missing"),
        ("auth/verify_refresh_token", {"refresh-token": "x"}, "param-malformed"),
        ("auth/verify_refresh_token", {"refresh-token": str(uuid.uuid4())}, "record-not-found"),
        ("auth/send_magic_code", {"email": "mara"}, "param-malformed"),
        ("signout", {}, "param-missing"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused(
    instant_cloud: InstantCloud, path: str, body: dict[str, Any], kind: str
) -> None:
    answer = runtime(instant_cloud, path, **body)
    assert (answer.status_code, answer.json()["type"]) == (400, kind)


def test_a_page_of_another_origin_may_call_and_may_read_refusals(instant_cloud: InstantCloud) -> None:
    url = f"{instant_cloud.api_uri}/runtime/auth/sign_in_guest"
    asked = {"Origin": "http://nordkap.localhost:8787", "Access-Control-Request-Method": "POST"}
    preflight = httpx.options(url, headers={**asked, "Access-Control-Request-Headers": "content-type"})
    refused = httpx.post(url, json={}, headers={"Origin": "http://nordkap.localhost:8787"})
    assert (preflight.status_code, refused.status_code) == (200, 400)
    assert {reply.headers["access-control-allow-origin"] for reply in (preflight, refused)} == {"*"}


def test_the_admin_finds_signs_out_and_deletes_users(instant_cloud: InstantCloud) -> None:
    made = instant_cloud.post("/admin/refresh_tokens", {"email": EMAIL}).json()
    again = instant_cloud.post("/admin/refresh_tokens", {"email": EMAIL}).json()
    assert (made["created"], again["created"], made["user"]["id"]) == (True, False, again["user"]["id"])
    headers = {"app-id": instant_cloud.app_id, "authorization": f"Bearer {instant_cloud.admin_token}"}

    def users(method: str, **params: str) -> Any:
        return httpx.request(method, f"{instant_cloud.api_uri}/admin/users", params=params, headers=headers).json()

    token = made["user"]["refresh_token"]
    assert {users("GET", **{k: v})["user"]["id"] for k, v in (("email", EMAIL), ("refresh_token", token))} == {
        made["user"]["id"]
    }
    assert instant_cloud.post("/admin/sign_out", {"email": EMAIL}).json() == {"ok": True}
    assert users("GET", refresh_token=token) == {"user": None}
    assert users("DELETE", email=EMAIL)["deleted"]["id"] == made["user"]["id"]
    assert users("GET", id=made["user"]["id"]) == {"user": None}
    assert users("GET")["type"] == "validation-failed"


@pytest.mark.parametrize("path", ["refresh_tokens", "sign_out", "magic_code", "send_magic_code", "sign_in_guest"])
def test_the_admins_routes_need_the_admins_token(instant_cloud: InstantCloud, path: str) -> None:
    user = guest(instant_cloud)
    for token in (None, f"Bearer {user['refresh_token']}"):
        answer = instant_cloud.post(f"/admin/{path}", {"email": EMAIL}, authorization=token, as_guest="true")
        assert answer.status_code == 400


def test_a_deleted_user_is_signed_out(instant_cloud: InstantCloud) -> None:
    user = guest(instant_cloud)
    instant_cloud.post("/admin/transact", {"steps": [["delete", "$users", user["id"]]]})
    gone = runtime(instant_cloud, "auth/verify_refresh_token", **{"refresh-token": user["refresh_token"]})
    assert gone.json()["type"] == "record-not-found"


def test_a_request_may_be_made_as_somebody(instant_cloud: InstantCloud) -> None:
    user = instant_cloud.post("/admin/refresh_tokens", {"email": EMAIL}).json()["user"]
    for headers in ({"as_token": user["refresh_token"], "authorization": None}, {"as_email": EMAIL}):
        assert instant_cloud.post("/admin/query", {"query": {"products": {}}}, **headers).json() == {"products": []}


def test_the_storefronts_rules_let_guests_in_and_nobody_by_e_mail(instant_cloud: InstantCloud) -> None:
    assert guest(instant_cloud)["type"] == "guest"
    answer = runtime(instant_cloud, "auth/verify_magic_code", email=EMAIL, code=code_for(instant_cloud)).json()
    assert (answer["type"], answer["hint"]["input"]) == ("permission-denied", ["$users", "create"])
