"""The vendor's own Python SDK, sync and async, on an app with the storefront's schema and rules."""

import asyncio
from collections.abc import Iterator

import pytest
from instantdb import AsyncInstant, Instant, InstantAPIError, lookup
from instantdb import id as new_id

from tests.conformance.conftest import Target
from tests.plugins.instant import product, tenant

pytestmark = pytest.mark.xdist_group("conformance")


@pytest.fixture
def sdk(storefront_app: Target) -> Iterator[Instant]:
    app = storefront_app
    with Instant(app_id=app.app_id, admin_token=app.admin_token, api_uri=app.api_uri) as sdk:
        yield sdk


@pytest.fixture
def slug() -> str:
    """The app may hold what earlier runs left."""
    return f"shop-{new_id()}"


def test_writes_links_and_nested_reads(sdk: Instant, slug: str) -> None:
    shop, mug = new_id(), new_id()
    sdk.transact(sdk.tx.tenants[shop].create(tenant(slug)))
    answer = sdk.transact(sdk.tx.products[mug].update(product(shop)).link({"tenant": lookup("slug", slug)}))
    assert isinstance(answer["tx-id"], int)
    found = sdk.query({"tenants": {"$": {"where": {"products.slug": "product-0", "slug": slug}}, "products": {}}})
    shown = {**product(shop), "id": mug, "tenant": shop}
    assert found == {"tenants": [{**tenant(slug), "id": shop, "products": [shown]}]}


def test_lookups_merge_unlink_and_delete(sdk: Instant, slug: str) -> None:
    shop, mug = new_id(), new_id()
    sdk.transact([sdk.tx.tenants[shop].update(tenant(slug)), sdk.tx.products[mug].update(product(shop, tags={"a": 1}))])
    sdk.transact(sdk.tx.tenants.lookup("slug", slug).update({"name": "New"}).link({"products": mug}))
    sdk.transact(sdk.tx.tenants[lookup("slug", slug)].unlink({"products": [mug]}))
    sdk.transact(sdk.tx.products[mug].merge({"tags": {"b": 2}}).rule_params({"key": "x"}))
    ours = {"tenants": {"$": {"where": {"id": shop}}}, "products": {"$": {"where": {"id": mug}}}}
    found = sdk.query(
        {
            "tenants": {**ours["tenants"], "products": {}},
            "products": {"$": {**ours["products"]["$"], "fields": ["tags"]}},
        }
    )
    assert (found["tenants"][0]["name"], found["tenants"][0]["products"]) == ("New", [])
    assert found["products"] == [{"id": mug, "tags": {"a": 1, "b": 2}}]
    sdk.transact([sdk.tx.products[mug].delete(), sdk.tx.tenants.lookup("slug", slug).delete()])
    assert sdk.query(ours) == {"tenants": [], "products": []}


def test_errors_are_the_sdks_own_with_status_body_hint_and_trace(sdk: Instant) -> None:
    with pytest.raises(InstantAPIError) as caught:
        sdk.transact(sdk.tx.products[new_id()].update({"title": 3}, {"upsert": True}))
    assert (caught.value.status, caught.value.body["type"]) == (400, "validation-failed")
    assert caught.value.hint["checked-data-type"] == "string"
    assert caught.value.trace_id


def test_a_guest_without_a_token_reads_and_does_not_write(sdk: Instant, storefront_app: Target, slug: str) -> None:
    shop = new_id()
    sdk.transact(sdk.tx.tenants[shop].update(tenant(slug)))
    sdk.transact(sdk.tx.products[new_id()].update(product(shop)).link({"tenant": shop}))
    with Instant(app_id=storefront_app.app_id, admin_token="", api_uri=storefront_app.api_uri) as anonymous:
        guest = anonymous.as_user(guest=True)
        assert len(guest.query({"products": {"$": {"where": {"tenantId": shop}}}})["products"]) == 1
        with pytest.raises(InstantAPIError) as caught:
            guest.transact(guest.tx.products[new_id()].update(product(shop, 1)))
    assert caught.value.body["type"] == "permission-denied"


def test_a_signed_in_guest_owns_a_cart_that_others_do_not_see(sdk: Instant, storefront_app: Target) -> None:
    tokens = [sdk._http.post("/admin/sign_in_guest", json={})["user"] for _ in range(2)]
    mine, other = (sdk.as_user(token=user["refresh_token"]) for user in tokens)
    cart, created = new_id(), {"tenantId": "t", "ownerId": tokens[0]["id"], "createdAt": 1_795_000_000_000}
    mine.transact(mine.tx.carts[cart].create(created))
    query = {"carts": {"$": {"where": {"id": cart}}}}
    assert (len(mine.query(query)["carts"]), other.query(query)["carts"]) == (1, [])
    with pytest.raises(InstantAPIError):
        other.transact(other.tx.carts[cart].update({"ownerId": tokens[1]["id"]}))


def test_the_async_client_does_the_same(storefront_app: Target, slug: str) -> None:
    app = storefront_app

    async def session() -> None:
        async with AsyncInstant(app_id=app.app_id, admin_token=app.admin_token, api_uri=app.api_uri) as sdk:
            shop = new_id()
            await sdk.transact(sdk.tx.tenants[shop].update(tenant(slug)))
            batches = [
                [sdk.tx.products[new_id()].update(product(shop, n)).link({"tenant": shop}) for n in range(i, 40, 4)]
                for i in range(4)
            ]
            ids = [answer["tx-id"] for answer in await asyncio.gather(*map(sdk.transact, batches))]
            assert len(set(ids)) == 4
            options = {"where": {"tenantId": shop}, "order": {"position": "desc"}, "limit": 3, "offset": 1}
            found = await sdk.as_user(guest=True).query({"products": {"$": options}})
            assert [entity["position"] for entity in found["products"]] == [38, 37, 36]
            with pytest.raises(InstantAPIError):
                await sdk.transact(sdk.tx.tenants[new_id()].update({"name": "no slug"}))

    asyncio.run(session())
