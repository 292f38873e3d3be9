"""Two shops, and everyone who might knock at the admin's door."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.test import Client

from catalog.models import Product
from chat.inbox import packed
from chat.models import ChatProfile, Conversation, KnowledgeSource, QuestionGroup
from tenants.models import Domain, Landing, Membership, Picture, Section, Tenant
from tenants.onboarding import open_shop
from tenants.staff import GROUPS, grant
from tests.admin.pictures import add
from tests.admin.walk import posted_by
from tests.chat.turns import asked


@dataclasses.dataclass
class Shop:
    tenant: Tenant
    owner: User
    landing: Landing
    section: Section
    product: Product
    knowledge: KnowledgeSource
    domain: Domain
    profile: ChatProfile
    conversation: Conversation
    group: QuestionGroup
    picture: Picture

    @property
    def objects(self) -> dict[str, Any]:
        """One object of each kind by the admin's URL name."""
        return {
            "tenants_tenant": self.tenant,
            "tenants_landing": self.landing,
            "tenants_domain": self.domain,
            "catalog_product": self.product,
            "chat_knowledgesource": self.knowledge,
            "chat_chatprofile": self.profile,
            "chat_conversation": self.conversation,
            "chat_questiongroup": self.group,
            "tenants_picture": self.picture,
        }


def make(slug: str, currency: str = "EUR") -> Shop:
    owner = User.objects.create_user(f"{slug}-owner", password="pass", is_staff=True)
    tenant = open_shop(slug=slug, name=slug.title(), owner=owner, currency=currency)
    (turn,) = asked(tenant, f"{slug} kayaks?")
    group = QuestionGroup.objects.create(tenant=tenant, text=turn.question, embedding_model="m", vector=packed([1.0]))
    group.turns.add(turn)
    return Shop(
        tenant=tenant,
        owner=owner,
        landing=tenant.landing,
        section=tenant.landing.sections.get(),
        product=Product.objects.create(tenant=tenant, title=f"{slug} kettle", price=1250, status="active"),
        knowledge=KnowledgeSource.objects.create(tenant=tenant, title=f"{slug} ships?", body="Yes."),
        domain=Domain.objects.create(tenant=tenant, host=f"{slug}.tea-shop.de"),
        profile=ChatProfile.objects.create(tenant=tenant, enabled=True, greeting=f"{slug} greets"),
        conversation=turn.conversation,
        group=group,
        picture=add(tenant, f"{slug}-kettle.png", size=(30, 20)),
    )


@pytest.fixture
def acme(db: None) -> Shop:
    return make("acme")


@pytest.fixture
def globex(db: None) -> Shop:
    return make("globex")


@pytest.fixture
def person(db: None) -> Callable[..., Client]:
    """`person("editor", acme)` → a logged-in client; without a shop a stranger."""

    def log_in(role: str = "", *shops: Shop) -> Client:
        user = User.objects.create_user(f"someone-{User.objects.count()}", password="pass", is_staff=True)
        for shop in shops:
            Membership.objects.create(user=user, tenant=shop.tenant, role=role)
        return logged_in(user)

    return log_in


@pytest.fixture
def owner(acme: Shop) -> Client:
    return logged_in(acme.owner)


@pytest.fixture
def staff(db: None) -> Client:
    return logged_in(User.objects.create_superuser("staff", password="pass"))


@pytest.fixture
def colleague(db: None) -> Callable[..., Client]:
    """`colleague("Support")` → a logged-in client of the platform's staff; with a shop and role a member there too."""

    def log_in(group: str, shop: Shop | None = None, role: str = "") -> Client:
        grant(apps, group, GROUPS[group])  # tests with transactions empty the table that the migration filled
        user = User.objects.create_user(f"{group.lower()}-{User.objects.count()}", password="pass", is_staff=True)
        user.groups.add(Group.objects.get(name=group))
        if shop is not None:
            Membership.objects.create(user=user, tenant=shop.tenant, role=role)
        return logged_in(user)

    return log_in


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def form_of() -> Callable[[Any], dict[str, Any]]:
    """The values that a browser would post from a change form's response, inlines included."""

    return posted_by


@pytest.fixture
def mo(db: None) -> User:
    return User.objects.create_superuser("mo", password="pass")


@pytest.fixture
def moderator(mo: User) -> Client:
    return logged_in(mo)
