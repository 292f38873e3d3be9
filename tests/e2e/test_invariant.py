"""The promise of the outbox: once drained, every store equals a rebuild from the database.

Random edits by every kind of write, while stores fail, deliveries crash and leases run out.
"""

import contextlib
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from catalog.models import FormerSlug, Product
from chat.models import KnowledgeSource
from controlplane.localcloud.faults import Fault
from controlplane.publishing import delivery
from controlplane.publishing.models import StaleDocument
from tenants.models import Domain, Section, ShareLink, Tenant
from tests.plugins.shops import make_knowledge, make_product
from tests.plugins.stores import Stores

pytestmark = pytest.mark.django_db

STEPS = 120
NAMES = ("kv", "instant", "turso")


class Story:
    """One random history of a platform with two shops."""

    def __init__(self, seed: int, stores: Stores, shops: list[Tenant]) -> None:
        self.random = random.Random(seed)
        self.stores = stores
        self.shops = shops

    def run(self) -> None:
        acts: list[Callable[[], Any]] = [
            self.create_product, self.edit_product, self.rename_product, self.bulk_edit, self.delete_products,
            self.edit_section, self.add_section, self.publish, self.publish,
            self.unpublish, self.share, self.unshare, self.add_knowledge, self.edit_knowledge, self.delete_knowledge,
            self.change_status, self.rename_shop, self.add_host, self.remove_host,
            self.break_a_store, self.heal, self.heal, self.deliver, self.deliver, self.deliver, self.crash,
            self.let_leases_end,
        ]  # fmt: skip
        for _ in range(6):
            self.create_product()
            self.add_knowledge()
        self.stores.drain()
        for _ in range(STEPS):
            self.random.choice(acts)()

    def word(self) -> str:
        return f"w{self.random.randrange(10**6)}"

    def shop(self) -> Tenant:
        return Tenant.objects.get(pk=self.random.choice(self.shops).pk)

    def one(self, model: Any) -> Any:
        return model.objects.order_by("?").first()

    def create_product(self) -> None:
        status = self.random.choice(["active", "active", "draft"])
        make_product(self.shop(), self.word(), price=self.random.randrange(10**4), status=status, tags=["new"])

    def edit_product(self) -> None:
        if product := self.one(Product):
            product.title, product.stock = self.word(), self.random.choice([None, 0, 5])
            product.save()

    def rename_product(self) -> None:
        if product := self.one(Product):
            product.slug = self.word()
            product.save()

    def bulk_edit(self) -> None:
        Product.objects.filter(tenant=self.shop()).update(price=self.random.randrange(10**4))

    def delete_products(self) -> None:
        if product := self.one(Product):
            Product.objects.filter(pk=product.pk).delete()

    def add_section(self) -> None:
        kind, content = self.random.choice([("product_grid", {"tag": "new"}), ("hero", {"heading": self.word()})])
        Section.objects.create(landing=self.shop().landing, kind=kind, content=content, position=99)

    def edit_section(self) -> None:
        if section := Section.objects.filter(kind="hero").order_by("?").first():
            section.content = {**section.content, "heading": self.word()}
            section.save()

    def publish(self) -> None:
        with contextlib.suppress(ValidationError):  # what a suspended shop publishes is refused
            self.shop().landing.publish(None)

    def unpublish(self) -> None:
        self.shop().landing.unpublish(None)

    def share(self) -> None:
        ShareLink.objects.create(tenant=self.shop())

    def unshare(self) -> None:
        if link := self.one(ShareLink):
            link.delete()

    def add_knowledge(self) -> None:
        body = "\n\n".join(
            f"{self.word()} is a sentence of some length. " * 12 for _ in range(self.random.randrange(1, 5))
        )
        make_knowledge(self.shop(), self.word(), body=body)

    def edit_knowledge(self) -> None:
        if source := self.one(KnowledgeSource):
            source.body = source.body[: len(source.body) // 2] + f"\n\n{self.word()}"
            source.save()

    def delete_knowledge(self) -> None:
        if source := self.one(KnowledgeSource):
            source.delete()

    def change_status(self) -> None:
        Tenant.objects.filter(pk=self.shop().pk).update(status=self.random.choice(["active", "active", "suspended"]))

    def rename_shop(self) -> None:
        shop = self.shop()
        shop.slug = self.word()
        shop.save()

    def add_host(self) -> None:
        Domain.objects.create(tenant=self.shop(), host=f"{self.word()}.example")

    def remove_host(self) -> None:
        if domain := Domain.objects.filter(is_platform=False).order_by("?").first():
            domain.delete()

    def break_a_store(self) -> None:
        fault = self.random.choice(
            [
                Fault(kind="status", status=503),
                Fault(kind="status", status=429, retry_after=2),
                Fault(kind="drop", times=1),
                Fault(kind="partial", match=self.random.choice("aeiou")),
            ]
        )
        self.random.choice([self.stores.cloudflare.faults, self.stores.instant.faults]).set([fault])

    def heal(self) -> None:
        self.stores.cloudflare.faults.clear()
        self.stores.instant.faults.clear()

    def deliver(self) -> None:
        delivery.deliver_batch(self.random.choice(NAMES))

    def crash(self) -> None:
        """A worker claims its rows, perhaps writes them, and dies before it settles."""
        name = self.random.choice(NAMES)
        rows = delivery.claim(name)
        if rows and self.random.random() < 0.5:
            try:
                delivery.destination_of(name).deliver([row.key for row in rows])
            except Exception:
                return

    def let_leases_end(self) -> None:
        StaleDocument.objects.update(due_at="2000-01-01T00:00Z")
        self.stores.cloudflare.forget_pace()


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4, pytest.param(5, marks=pytest.mark.postgres)])
def test_once_drained_every_store_equals_a_rebuild(stores: Stores, shop: Tenant, other_shop: Tenant, seed: int) -> None:
    story = Story(seed, stores, [shop, other_shop])
    story.run()
    story.heal()
    StaleDocument.objects.parked().retry()
    stores.drain()
    lived = stores.contents()
    stores.wipe()
    call_command("republish", "--no-wait", verbosity=0)
    stores.drain()
    assert lived == stores.contents()
    hosts = {f"domain:{host}" for host in Domain.objects.values_list("host", flat=True)}
    shared = ShareLink.objects.filter(tenant__status="active").values_list("token", flat=True)
    drafts = {f"draft:{token}" for token in shared}
    former = FormerSlug.objects.filter(product__status="active", tenant__status="active")
    redirects = {f"redirect:{one.tenant_id}:/products/{one.slug}" for one in former}
    assert set(lived["kv"]) == hosts | drafts | redirects
    live = {f"products:{pk}" for pk in Product.objects.live().values_list("pk", flat=True)}
    assert {key for key in lived["instant"] if key.startswith("products:")} == live
