"""A real Chromium, and a shop for it to visit: `chromium`, `storefront`."""

import dataclasses
import os
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from catalog.models import Product
from storefront.assets import BUNDLE
from tenants.models import Section, Tenant
from tests.plugins.chromium import CHROMIUM, DESKTOP, FLAGS
from tests.plugins.instant import InstantCloud
from tests.plugins.shops import make_product, publish
from tests.plugins.stores import Stores, edge_served

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on this machine: install it to run the browser tests"
)

T = TypeVar("T")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright's loop runs in this thread; Django must not mind
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclasses.dataclass
class Storefront:
    """A shop at the edge. `visit` opens a page in a browser of its own; whatever a page complains of is kept."""

    chromium: Browser
    stores: Stores
    shop: Tenant
    port: int
    serving: Any
    complaints: list[str] = dataclasses.field(default_factory=list)
    contexts: list[BrowserContext] = dataclasses.field(default_factory=list)

    def url(self, path: str = "/") -> str:
        return f"http://{self.shop.slug}.localhost:{self.port}{path}"

    def browser(self, **options: Any) -> BrowserContext:
        context = self.chromium.new_context(**{"viewport": DESKTOP, **options})
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        return context

    def visit(self, path: str = "/", context: BrowserContext | None = None, **options: Any) -> Page:
        page = (context or self.browser(**options)).new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(self.url(path))
        if options.get("java_script_enabled", True):
            page.locator("html[data-live]").wait_for()
        return page

    def product(self, title: str, **more: Any) -> Product:
        return make_product(self.shop, title, **more)

    def save(self, product: Product, **changes: Any) -> None:
        """As a merchant's edit, delivered."""
        for name, value in changes.items():
            setattr(product, name, value)
        product.save()
        self.stores.drain()


@pytest.fixture
def storefront(chromium: Browser, stores: Stores, shop: Tenant) -> Iterator[Storefront]:
    """A shop with three products on its landing page: a kettle at 42.00, a pot (stock 3) and a sold out pan."""
    assert BUNDLE, "the browser's files are missing: run `make bundle`"
    Section.objects.create(landing=shop.landing, kind="product_grid", content={"heading": "All we have"}, position=1)
    make_product(shop, "Kettle", price=4200)
    make_product(shop, "Pot", price=2550, stock=3)
    make_product(shop, "Pan", price=1900, stock=0)
    publish(shop)
    stores.drain()
    with edge_served(stores) as serving:
        made = Storefront(chromium, stores, shop, serving.port, serving)
        yield made
        for context in made.contexts:
            context.close()
    assert made.complaints == []


def wait_for(condition: Callable[[], T], timeout_s: float = 10) -> T:
    """Until `condition()` is true; its value. Not for what a page shows: Playwright's own `expect` waits for that."""
    import time

    end = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end, f"never became true: {condition}"
        time.sleep(0.05)
    return value


def lines_of(cloud: InstantCloud) -> dict[str, int]:
    """What Instant holds: `{product id: quantity}` of every cart."""
    return {one["productId"]: one["quantity"] for one in cloud.entities("cartItems").values()}
