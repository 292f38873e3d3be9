"""A shop whose chat is on."""

from collections.abc import Iterator

import pytest

from catalog.models import Product
from chat.models import ChatProfile
from tests.plugins.browser import Storefront
from tests.plugins.shops import make_knowledge, publish


@pytest.fixture
def shop_with_chat(storefront: Storefront) -> Iterator[Storefront]:
    shop = storefront.shop
    ChatProfile.objects.update_or_create(
        tenant=shop,
        defaults={
            "enabled": True, "greeting": "Ask me about pots.", "suggested_questions": ["Do you ship abroad?"],
            "contact_email": "people@acme.example",
        },
    )  # fmt: skip
    make_knowledge(shop, "Do you ship abroad?", body="We ship to all of Europe within five days.", url="/#faq")
    make_knowledge(shop, "How do I return a kettle?", body="Send the kettle back within 30 days.", url="/products")
    storefront.save(Product.objects.get(title="Kettle"), description="<p>A copper kettle for strong tea.</p>")
    publish(shop)
    storefront.stores.drain()
    yield storefront
    storefront.stores.cloudflare.faults.clear()
