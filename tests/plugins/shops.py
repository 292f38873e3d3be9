"""Shops and people for tests: one story, two merchants and a stranger."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from catalog.models import Product
from chat.models import KnowledgeSource
from tenants.models import Landing, Tenant
from tenants.onboarding import open_shop


def make_shop(slug: str, **more: object) -> Tenant:
    owner = User.objects.create_user(f"owner@{slug}.example", f"owner@{slug}.example", "password", is_staff=True)
    return open_shop(slug=slug, name=slug.title(), owner=owner, **more)  # type: ignore[arg-type]


def publish(tenant: Tenant) -> None:
    """Makes the draft as it is now live."""
    Landing.objects.get(tenant=tenant).publish(None)


def make_product(tenant: Tenant, title: str = "Kettle", **more: object) -> Product:
    values: dict[str, object] = {"price": 4200, "status": "active", **more}
    return Product.objects.create(tenant=tenant, title=title, **values)


def make_knowledge(tenant: Tenant, title: str = "Do you ship?", **more: object) -> KnowledgeSource:
    values: dict[str, object] = {"body": "Yes, within two days.", **more}
    return KnowledgeSource.objects.create(tenant=tenant, title=title, **values)


@pytest.fixture
def shop(db: None) -> Tenant:
    return make_shop("acme")


@pytest.fixture
def other_shop(db: None) -> Tenant:
    return make_shop("globex")


@pytest.fixture
def drain(db: None) -> Callable[[], None]:
    """Delivers everything that is due, as the worker would."""
    from django.conf import settings

    from controlplane.publishing import delivery

    def run() -> None:
        for name in settings.PUBLISHING_BUILDERS:
            delivery.deliver_all(name)

    return run
