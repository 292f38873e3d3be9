"""A shop that is in every store there is, and time that goes by."""

import dataclasses
import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from catalog.models import FormerSlug, Product
from chat.models import ChatProfile, EmbeddingState, KnowledgeSource
from controlplane.adapters.turso import TursoDatabase
from controlplane.publishing import cells
from tenants.models import Allowance, ClosedShop, Domain, Erasure, ShareLink, Tenant
from tests.chat.turns import asked, rate, write
from tests.plugins.shops import make_knowledge, make_product, make_shop
from tests.plugins.stores import Stores

HOST = "shop.nordkap-tee.de"


@dataclasses.dataclass
class World:
    stores: Stores
    telemetry: TursoDatabase

    def hours_later(self, hours: float) -> None:
        """What waits is due, and what is counted per minute may be asked for anew."""
        past = timezone.now() - timedelta(hours=hours)
        Erasure.objects.filter(finished_at=None).update(next_try_at=past)
        Domain._base_manager.filter(is_platform=False).update(next_check_at=past)
        Allowance.objects.all().delete()
        self.stores.cloudflare.forget_pace()

    def run(self, rounds: int = 6) -> None:
        """As beat would, with the outbox delivered in between."""
        from tenants.erasing import machine

        for _ in range(rounds):
            self.hours_later(2)
            machine.run_due()
            self.stores.drain()

    def carts(self) -> dict[str, Any]:
        return self.stores.instant.entities("carts") | self.stores.instant.entities("cartItems")


@pytest.fixture
def world(settings: Any, stores: Stores, telemetry_database: TursoDatabase, cloudflare_cloud: Any) -> Iterator[World]:
    settings.DNS_RESOLVER_URL = cloudflare_cloud.resolver_url
    yield World(stores, telemetry_database)
    cells.close()


def fill(world: World, slug: str, host: str) -> Tenant:
    """A shop with something in every store."""
    shop = make_shop(slug)
    product = make_product(shop, "Kettle", stock=3, tags=["warm", "red"], image_url="https://pictures.example/a.jpg")
    product.slug = "better-kettle"
    product.save()
    assert FormerSlug.objects.filter(tenant=shop).exists()
    make_knowledge(shop)
    ChatProfile.objects.create(tenant=shop, enabled=True)
    ShareLink.objects.create(tenant=shop)
    (turn,) = asked(shop, "Do you sell kayaks?")
    rate(world.telemetry, write(world.telemetry, shop, conversation_id=f"c-{slug}"), shop, 1)
    world.telemetry.execute("INSERT INTO usage VALUES (?, '2026-11-24', 3, 40)", [str(shop.pk)])
    made = cells.hostnames().create(host)
    now = timezone.now()
    Domain.objects.create(
        tenant=shop, host=host, state="live", reason="live", proven_at=now, live_at=now, hostname_id=made.id,
        next_check_at=now + timedelta(days=1),
    )  # fmt: skip
    Domain.objects.create(tenant=shop, host=f"claimed.{host}", next_check_at=now + timedelta(days=1))
    LogEntry.objects.create(
        user=shop.memberships.get().user, content_type=ContentType.objects.get_for_model(Product),
        object_id=str(product.pk), object_repr="Kettle", action_flag=ADDITION, change_message=json.dumps([]),
    )  # fmt: skip
    world.stores.drain()
    cart = str(uuid.uuid4())
    line = {"productId": str(product.pk), "quantity": 1, "addedAt": 1_795_000_000_000}
    app = cells.realtime("default")
    app.put("carts", {cart: {"tenantId": str(shop.pk), "ownerId": str(uuid.uuid4()), "createdAt": 1_795_000_000_000}})
    line_id = str(uuid.uuid4())
    app.put("cartItems", {line_id: line}, {line_id: {"cart": cart}})
    assert turn.tenant_id == shop.pk
    assert EmbeddingState.objects.filter(tenant=shop).exists()
    assert KnowledgeSource.objects.filter(tenant=shop).exists()
    return shop


@pytest.fixture
def full_shop(world: World) -> Tenant:
    return fill(world, "acme", HOST)


@pytest.fixture
def neighbour(world: World, full_shop: Tenant) -> Tenant:
    """Another shop that is everywhere too: nothing of it may go."""
    return fill(world, "globex", "www.globex-tee.de")


def days_later(days: float) -> None:
    for row in ClosedShop.objects.filter(state="grace"):
        moved = timedelta(days=days)
        ClosedShop.objects.filter(pk=row.pk).update(closed_at=row.closed_at - moved, erase_at=row.erase_at - moved)
