"""The vendor's own Python SDK, sync and async, against the stand-in."""

import asyncio
from collections.abc import Iterator

import pytest
from instantdb import AsyncInstant, Instant, InstantAPIError, lookup
from instantdb import id as new_id

from tests.plugins.instant import InstantCloud, product, tenant


@pytest.fixture
def sdk(instant_cloud: InstantCloud) -> Iterator[Instant]:
    with Instant(
        app_id=instant_cloud.app_id, admin_token=instant_cloud.admin_token, api_uri=instant_cloud.api_uri
    ) as sdk:
        yield sdk


def test_writes_links_and_nested_reads(sdk: Instant) -> None:
    shop, mug = new_id(), new_id()
    sdk.transact(sdk.tx.tenants[shop].create(tenant()))
    answer = sdk.transact(sdk.tx.products[mug].update(product(shop)).link({"tenant": lookup("slug", "nordkap")}))
    assert isinstance(answer["tx-id"], int)
    found = sdk.query({"tenants": {"$": {"where": {"products.slug": "product-0"}}, "products": {}}})
    assert found == {"tenants": [{**tenant(), "id": shop, "products": [{**product(shop), "id": mug, "tenant": shop}]}]}


def test_lookups_merge_unlink_and_delete(sdk: Instant) -> None:
    shop, mug = new_id(), new_id()
    sdk.transact([sdk.tx.tenants[shop].update(tenant()), sdk.tx.products[mug].update(product(shop, tags={"a": 1}))])
    sdk.transact(sdk.tx.tenants.lookup("slug", "nordkap").update({"name": "New"}).link({"products": mug}))
    sdk.transact(sdk.tx.tenants[lookup("slug", "nordkap")].unlink({"products": [mug]}))
    sdk.transact(sdk.tx.products[mug].merge({"tags": {"b": 2}}).rule_params({"key": "x"}))
    found = sdk.query({"tenants": {"products": {}}, "products": {"$": {"fields": ["tags"]}}})
    assert (found["tenants"][0]["name"], found["tenants"][0]["products"]) == ("New", [])
    assert found["products"] == [{"id": mug, "tags": {"a": 1, "b": 2}}]
    sdk.transact([sdk.tx.products[mug].delete(), sdk.tx.tenants.lookup("slug", "nordkap").delete()])
    assert sdk.query({"tenants": {}, "products": {}}) == {"tenants": [], "products": []}


def test_errors_are_the_sdks_own_with_status_body_hint_and_trace(sdk: Instant) -> None:
    with pytest.raises(InstantAPIError) as caught:
        sdk.transact(sdk.tx.products[new_id()].update({"title": 3}, {"upsert": True}))
    assert (caught.value.status, caught.value.body["type"]) == (400, "validation-failed")
    assert caught.value.hint["checked-data-type"] == "string"
    assert caught.value.trace_id


def test_a_guest_without_a_token_reads_and_does_not_write(sdk: Instant, instant_cloud: InstantCloud) -> None:
    shop = new_id()
    sdk.transact(sdk.tx.products[new_id()].update(product(shop)))
    with Instant(app_id=instant_cloud.app_id, admin_token="", api_uri=instant_cloud.api_uri) as anonymous:
        guest = anonymous.as_user(guest=True)
        assert len(guest.query({"products": {"$": {"where": {"tenantId": shop}}}})["products"]) == 1
        with pytest.raises(InstantAPIError) as caught:
            guest.transact(guest.tx.products[new_id()].update(product(shop, 1)))
    assert caught.value.body["type"] == "permission-denied"


def test_the_async_client_does_the_same(instant_cloud: InstantCloud) -> None:
    async def session() -> None:
        async with AsyncInstant(
            app_id=instant_cloud.app_id, admin_token=instant_cloud.admin_token, api_uri=instant_cloud.api_uri
        ) as sdk:
            shop = new_id()
            batches = [[sdk.tx.products[new_id()].update(product(shop, n)) for n in range(i, 40, 4)] for i in range(4)]
            ids = [answer["tx-id"] for answer in await asyncio.gather(*map(sdk.transact, batches))]
            assert len(set(ids)) == 4
            options = {"where": {"tenantId": shop}, "order": {"position": "desc"}, "limit": 3, "offset": 1}
            found = await sdk.as_user(guest=True).query({"products": {"$": options}})
            assert [entity["position"] for entity in found["products"]] == [38, 37, 36]
            with pytest.raises(InstantAPIError):
                await sdk.transact(sdk.tx.products[new_id()].update({"nope": 1}))

    asyncio.run(session())
