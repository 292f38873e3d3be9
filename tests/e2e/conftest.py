"""A shop whose chat is on; a merchant's admin beside the edge in a browser."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from catalog.models import Product
from chat.models import ChatProfile
from tenants.models import Landing, Membership, Section, Tenant
from tests.e2e.editing import EXPECTED, Open
from tests.plugins.browser import Storefront
from tests.plugins.shops import make_knowledge, make_product, make_shop, publish
from tests.plugins.stores import Stores, edge_served


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


@pytest.fixture
def acme(stores: Stores) -> Tenant:
    shop = make_shop("acme")
    make_product(shop, "Copper kettle", stock=2)
    make_product(make_shop("globex"), "Globex drill")
    Section.objects.create(landing=shop.landing, kind="faq", position=1, content={"heading": "Questions", "items": [
        {"question": "Loose?", "answer": "Yes."}]})  # fmt: skip
    Section.objects.create(landing=shop.landing, kind="rich_text", position=2, content={"body_html": "<p>Once</p>"})
    Landing.objects.get(tenant=shop).publish(None)
    stores.drain()
    return shop


@pytest.fixture
def edge_port(stores: Stores, acme: Tenant, settings: Any) -> Iterator[int]:
    """The edge on a port of its own, which the admin's addresses and its policy name."""
    with edge_served(stores) as serving:
        settings.STOREFRONT_PORT = str(serving.port)
        settings.EDGE_ADDRESS = f"http://127.0.0.1:{serving.port}"
        policy = copy.deepcopy(configured.CONTENT_SECURITY_POLICY)
        for sources in policy["DIRECTIVES"].values():
            sources[:] = [source.replace(":8787", f":{serving.port}") for source in sources]
        settings.CONTENT_SECURITY_POLICY = policy
        yield serving.port


@pytest.fixture
def open_page(chromium: Browser, live_server: Any, acme: Tenant, edge_port: int) -> Iterator[Open]:
    """`open_page("admin:…", args)` → a page of a logged-in owner; complaints of the browser fail the test."""
    problems: list[str] = []
    contexts = []

    def go(name: str, *args: Any, width: int = 1280, scheme: Any = "light") -> Page:
        client = Client()
        client.force_login(Membership.objects.get(tenant=acme).user)
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        cookie = client.cookies[configured.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": configured.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(live_server.url + reverse(name, args=args))
        return page

    yield go
    for context in contexts:
        context.close()
    assert [text for text in problems if not any(known in text for known in EXPECTED)] == []


@pytest.fixture
def editor(open_page: Open, acme: Tenant) -> Page:
    page = open_page("admin:tenants_landing_change", acme.landing.pk)
    expect(page.frame_locator("[data-frame]").locator("h1")).to_have_text("Acme")
    return page
