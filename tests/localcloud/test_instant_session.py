"""The websocket as a browser speaks it, over a real socket."""

import asyncio
import json
import uuid
from typing import Any

import httpx
import pytest
from httpx_sse import connect_sse
from websockets.exceptions import ConnectionClosed

from controlplane.localcloud.instant.outbox import MAX_FRAMES, Outbox, Overflow
from tests.localcloud.browsing import (
    CART,
    LINE,
    MUG,
    PRODUCTS,
    SHOP,
    admin,
    browsing,
    guest,
    labels,
    triples,
)
from tests.plugins.instant import InstantCloud

# init


def test_init_names_the_session_the_app_and_every_attribute(cloud: InstantCloud) -> None:
    with browsing(cloud, init=False) as browser:
        answer = browser.ask("init", app_id=cloud.app_id)
    assert answer["auth"] == {"app": {"id": cloud.app_id, "title": "storefront"}, "user": None, "admin?": False}
    assert (answer["app-status"], uuid.UUID(answer["session-id"]).version) == ({"status": "active"}, 4)
    assert {"$users", "products", "carts"} <= {attr["forward-identity"][1] for attr in answer["attrs"]}


def test_init_knows_a_signed_in_guest(cloud: InstantCloud) -> None:
    user = guest(cloud)
    with browsing(cloud, init=False) as browser:
        answer = browser.ask("init", app_id=cloud.app_id, refresh_token=user["refresh_token"])
    assert answer["auth"]["user"]["id"] == user["id"]


@pytest.mark.parametrize(
    ("event", "kind", "record"),
    [
        ({"app_id": CART}, "record-not-found", "app"),
        ({"app_id": "x"}, "param-malformed", None),
        ({}, "param-missing", None),
        ({"app_id": None, "refresh_token": MUG}, "record-not-found", "app-user"),
        ({"app_id": None, "__admin_token": MUG}, "record-not-found", "app-admin-token"),
    ],
)
def test_a_wrong_init_is_answered_by_a_typed_error(
    cloud: InstantCloud, event: dict[str, Any], kind: str, record: str | None
) -> None:
    given = {name: cloud.app_id if value is None else value for name, value in event.items()}
    if "__admin_token" in given:
        given["__admin-token"] = given.pop("__admin_token")
    with browsing(cloud, init=False) as browser:
        error = browser.ask("init", **given)
        assert (error["op"], error["status"], error["type"]) == ("error", 400, kind)
        assert (error["hint"].get("record-type"), error["original-event"]["op"]) == (record, "init")
        assert browser.ask("init", app_id=cloud.app_id)["op"] == "init-ok"


def test_a_second_init_and_events_before_the_first_are_refused(cloud: InstantCloud) -> None:
    with browsing(cloud, init=False) as browser:
        early = browser.ask("add-query", q=PRODUCTS)
        assert (early["type"], early["hint"]["errors"][0]["message"]) == (
            "validation-failed",
            "`init` has not run for this session.",
        )
        browser.ask("init", app_id=cloud.app_id)
        assert "already run" in browser.ask("init", app_id=cloud.app_id)["hint"]["errors"][0]["message"]


# Queries


def test_a_query_is_answered_with_each_triple_once_and_echoed_as_it_was(cloud: InstantCloud) -> None:
    query = {**PRODUCTS, "tenants": {}}
    with browsing(cloud) as browser:
        answer = browser.ask("add-query", q=query)
        assert (answer["op"], answer["q"], answer["processed-isn"]) == ("add-query-ok", query, None)
        found = triples(answer["result"])
        assert len({json.dumps(triple) for triple in found}) == len(found)
        assert {triple[0] for triple in found} == {MUG}  # no rule lets anyone see tenants
        assert ("products.price", "1000") in labels(browser, answer["result"])
        page = answer["result"][0]["data"]["page-info"]["products"]
        assert page["start-cursor"][:3] == [MUG, browser.attrs["products", "position"], 0]
        assert (page["has-next-page?"], page["has-previous-page?"]) == (False, False)


def test_the_same_query_again_exists_until_it_is_removed(cloud: InstantCloud) -> None:
    with browsing(cloud) as browser:
        assert browser.ask("add-query", q=PRODUCTS)["op"] == "add-query-ok"
        assert browser.ask("add-query", q=PRODUCTS)["op"] == "add-query-exists"
        assert browser.ask("remove-query", q=PRODUCTS) | {"op": "remove-query-ok", "q": PRODUCTS}
        assert browser.ask("add-query", q=PRODUCTS)["op"] == "add-query-ok"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (None, "Query can not be null."),
        ([], "Validation failed for query"),
        ({"products": 1}, "Validation failed for query"),
        ({"products": {"$": {"where": {"price": "free"}}}}, "The data type of `products.price` is `number`"),
        ({"products": {"$": {"aggregate": "count"}}}, "Aggregates are currently only available for admin queries."),
    ],
)
def test_a_bad_query_is_refused_with_what_the_client_routes_it_by(cloud: InstantCloud, query: Any, said: str) -> None:
    with browsing(cloud) as browser:
        error = browser.ask("add-query", q=query)
        assert (error["op"], error["status"], error["type"]) == ("error", 400, "validation-failed")
        assert (error["original-event"]["op"], error["original-event"]["q"]) == ("add-query", query)
        assert said in error["message"]
        assert browser.ask("add-query", q=PRODUCTS)["op"] == "add-query-ok"


def test_a_change_is_pushed_whole_and_names_a_transaction_that_it_contains(cloud: InstantCloud) -> None:
    with browsing(cloud) as browser:
        first = browser.ask("add-query", q=PRODUCTS)
        tx_id = admin(cloud, ["update", "products", MUG, {"price": 7}])["tx-id"]
        push = browser.push("refresh-ok")
        (computation,) = push["computations"]
        assert (computation["instaql-query"], computation["result-changed?"]) == (PRODUCTS, True)
        assert push["processed-tx-id"] == tx_id > first["processed-tx-id"]
        assert ("products.price", "7") in labels(browser, computation["instaql-result"])
        assert len(triples(computation["instaql-result"])) == len(triples(first["result"]))


def test_a_write_that_changes_nothing_shown_is_not_pushed_but_to_its_writer(cloud: InstantCloud) -> None:
    with browsing(cloud) as reader, browsing(cloud, **{"__admin-token": cloud.admin_token}) as writer:
        for browser in (reader, writer):
            browser.ask("add-query", q=PRODUCTS)
        tx_id = writer.write("products", MUG, price=1000)["tx-id"]
        writer.write("products", MUG, imageAlt="A cup")
        assert writer.push("refresh-ok")["processed-tx-id"] >= tx_id
        assert ("products.imageAlt", '"A cup"') in labels(
            reader, reader.push("refresh-ok")["computations"][0]["instaql-result"]
        )
        reader.ask("remove-query", q=PRODUCTS)
        assert reader.pushed == []


def test_suspending_a_tenant_empties_its_open_pages(cloud: InstantCloud) -> None:
    with browsing(cloud) as browser:
        assert triples(browser.ask("add-query", q=PRODUCTS)["result"])
        admin(cloud, ["update", "tenants", SHOP, {"status": "suspended"}])
        assert triples(browser.push("refresh-ok")["computations"][0]["instaql-result"]) == []
        admin(cloud, ["update", "tenants", SHOP, {"status": "active"}])
        assert triples(browser.push("refresh-ok")["computations"][0]["instaql-result"])


def test_what_left_a_session_is_no_longer_computed(cloud: InstantCloud) -> None:
    with browsing(cloud) as watching:
        watching.ask("add-query", q=PRODUCTS)
        with browsing(cloud) as gone:
            gone.ask("add-query", q={"products": {}})
        for _ in range(3):
            admin(cloud, ["update", "products", MUG, {"price": 3}])
        watching.push("refresh-ok")
    page = httpx.get(cloud.api_uri).text
    assert "stand-in" in page


# Where conditions need more than the rows' own triples


def test_a_condition_over_a_link_brings_the_triples_that_make_it_true_there(cloud: InstantCloud) -> None:
    query = {"products": {"$": {"where": {"tenant.slug": "nordkap"}}}}
    with browsing(cloud, **{"__admin-token": cloud.admin_token}) as browser:
        found = labels(browser, browser.ask("add-query", q=query)["result"])
        assert ("tenants.slug", '"nordkap"') in found
        assert ("tenants.name", '"Nordkap"') not in found
        assert ("products.tenant", json.dumps(SHOP)) in found
    with browsing(cloud) as browser:  # the tenant is not to be seen, so no product can be found by its slug
        assert triples(browser.ask("add-query", q=query)["result"]) == []


def test_an_indexed_attribute_without_a_value_is_an_explicit_null(cloud: InstantCloud) -> None:
    user = guest(cloud)
    with browsing(cloud, refresh_token=user["refresh_token"]) as browser:
        browser.write("carts", CART, tenantId=SHOP, ownerId=user["id"], createdAt=1)
        query = {"carts": {"$": {"where": {"shareSecret": {"$isNull": True}}}}}
        assert ("carts.shareSecret", "null") in labels(browser, browser.ask("add-query", q=query)["result"])


def test_fields_leave_out_all_but_what_the_client_needs_to_find_and_order_the_rows(cloud: InstantCloud) -> None:
    options = {"where": {"tenantId": SHOP}, "order": {"position": "asc"}, "fields": ["title"]}
    with browsing(cloud) as browser:
        answer = browser.ask("add-query", q={"products": {"$": options}})
        names = {name for name, _ in labels(browser, answer["result"])}
        assert names == {"products.id", "products.title", "products.tenantId", "products.position"}


# Hygiene


@pytest.mark.parametrize("frame", ["", "{", "[]", "1", '{"op":1}', '{"op":["x"]}', '{"op":"nonsense"}', "[" * 100_000])
def test_a_malformed_frame_gets_an_error_and_the_session_lives(cloud: InstantCloud, frame: str) -> None:
    with browsing(cloud) as browser:
        browser.socket.send(frame)
        assert (error := browser.next())["op"] == "error"
        assert (error["type"], error["status"]) == ("param-malformed", 400)
        browser.socket.send(b"\x00\x01")
        assert browser.next()["type"] == "param-malformed"
        assert browser.ask("add-query", q=PRODUCTS)["op"] == "add-query-ok"


def test_a_frame_of_a_megabyte_passes_and_a_huge_one_closes_its_own_socket_only(cloud: InstantCloud) -> None:
    with browsing(cloud, **{"__admin-token": cloud.admin_token}) as browser, browsing(cloud) as other:
        assert browser.write("products", MUG, descriptionHtml="x" * 1_000_000)["op"] == "transact-ok"
        with pytest.raises(ConnectionClosed):
            browser.write("products", MUG, descriptionHtml="x" * 5_000_000)
        assert other.ask("add-query", q=PRODUCTS)["op"] == "add-query-ok"
    assert len(cloud.entities("products")[MUG]["descriptionHtml"]) == 1_000_000


def test_an_outbox_keeps_only_the_newest_of_a_kind_and_gives_up_on_a_slow_consumer() -> None:
    async def scenario() -> None:
        outbox = Outbox()
        for frame in ("old", "other", "new"):
            outbox.put(frame, key=None if frame == "other" else "query")
        assert [await outbox.get(), await outbox.get()] == ["other", "new"]
        for number in range(MAX_FRAMES + 1):
            outbox.put(str(number))
        with pytest.raises(Overflow):
            await outbox.get()
        outbox.put("late")
        with pytest.raises(Overflow):
            await outbox.get()

    asyncio.run(scenario())


# Rooms


def test_a_room_shows_everyone_in_it_what_they_say_and_who_left(cloud: InstantCloud) -> None:
    user = guest(cloud)
    with browsing(cloud, refresh_token=user["refresh_token"]) as one:
        assert one.ask("join-room", room_type="cart", room_id="r", data={"n": "a"})["room-id"] == "r"
        ((mine, me),) = one.push("refresh-presence")["data"].items()
        assert me == {"peer-id": mine, "user": {"id": user["id"]}, "data": {"n": "a"}}
        with browsing(cloud) as two:
            two.ask("join-room", room_type="cart", room_id="r")
            assert len(two.push("refresh-presence")["data"]) == len(one.push("refresh-presence")["data"]) == 2
            two.ask("set-presence", room_id="r", data={"n": "b"})
            (peer,) = [p for p in one.push("refresh-presence")["data"].values() if p["peer-id"] != mine]
            assert (peer["user"], peer["data"]) == (None, {"n": "b"})
            sent = one.ask("client-broadcast", room_id="r", roomType="cart", topic="ping", data={"x": 1})
            heard = two.push("server-broadcast")
            assert (sent["op"], heard["topic"], heard["data"]["data"]) == ("client-broadcast-ok", "ping", {"x": 1})
            assert heard["data"]["user"] == {"id": user["id"]}
            query = httpx.get(
                f"{cloud.api_uri}/admin/rooms/presence?room-type=cart&room-id=r",
                headers={"app-id": cloud.app_id, "authorization": f"Bearer {cloud.admin_token}"},
            )
            assert query.json()["sessions"][mine]["user"]["type"] == "guest"
        assert list(one.push("refresh-presence")["data"]) == [mine]
        assert one.ask("leave-room", room_id="r")["op"] == "leave-room-ok"
        assert one.ask("set-presence", room_id="r", data={})["type"] == "validation-failed"


@pytest.mark.parametrize(
    ("op", "rest", "kind"),
    [
        ("join-room", {}, "param-missing"),
        ("join-room", {"room_id": 3}, "param-malformed"),
        ("set-presence", {"room_id": "r", "data": {}}, "validation-failed"),
        ("client-broadcast", {"room_id": "r", "topic": "t", "data": {}}, "validation-failed"),
    ],
)
def test_only_who_has_joined_a_room_speaks_in_it(cloud: InstantCloud, op: str, rest: Any, kind: str) -> None:
    with browsing(cloud) as browser:
        assert browser.ask(op, **rest)["type"] == kind


# Server-sent events


def test_the_admin_api_streams_an_object_tree_and_its_changes(cloud: InstantCloud) -> None:
    body = {"query": {"products": {"$": {"limit": 1}, "tenant": {}}}, "inference?": True}
    headers = {"app-id": cloud.app_id, "authorization": f"Bearer {cloud.admin_token}"}
    url = f"{cloud.api_uri}/admin/subscribe-query?local_connection_id={LINE}"
    with (
        httpx.Client(timeout=10) as http,
        connect_sse(http, "POST", url, json=body, headers=headers) as source,
    ):
        events = (json.loads(event.data) for event in source.iter_sse() if event.data)
        assert next(events).keys() == {"op", "machine-id", "session-id", "sse-token"}
        first = next(events)
        assert (first["op"], first["result"]["products"][0]["tenant"]["slug"]) == ("add-query-ok", "nordkap")
        assert first["result-meta"]["page-info"]["products"]["has-next-page?"] is False
        admin(cloud, ["update", "tenants", SHOP, {"slug": "suedkap"}])
        (computation,) = next(events)["computations"]
        assert computation["instaql-result"]["products"][0]["tenant"]["slug"] == "suedkap"


def test_a_browser_without_a_websocket_reads_events_and_posts_its_own(cloud: InstantCloud) -> None:
    url = f"{cloud.api_uri}/runtime/sse?app_id={cloud.app_id}"
    with httpx.Client(timeout=10) as http, connect_sse(http, "GET", url) as source:
        events = (json.loads(event.data) for event in source.iter_sse() if event.data)
        hello = next(events)
        line = {name.replace("-", "_"): hello[name] for name in ("machine-id", "session-id", "sse-token")}
        messages = [{"op": "init", "app-id": cloud.app_id}, {"op": "add-query", "q": PRODUCTS}]
        assert httpx.post(url, json={**line, "messages": messages}).json() == {}
        assert [next(events)["op"], next(events)["op"]] == ["init-ok", "add-query-ok"]
        stranger = httpx.post(url, json={**line, "sse_token": MUG, "messages": messages})
        assert (stranger.status_code, stranger.json()["type"]) == (400, "session-missing")


def test_transaction_ids_only_grow_whoever_writes(cloud: InstantCloud) -> None:
    with browsing(cloud, **{"__admin-token": cloud.admin_token}) as browser:
        ids = [browser.write("products", MUG, price=1)["tx-id"]]
        ids.append(admin(cloud, ["update", "products", MUG, {"price": 2}])["tx-id"])
        browser.write("products", MUG, price="free")  # refused: its id is never used for anything
        ids.append(browser.write("products", MUG, price=3)["tx-id"])
        assert ids == sorted(set(ids))
        assert browser.ask("add-query", q=PRODUCTS)["processed-tx-id"] == ids[-1]
