"""Persons and shoppers who ask to be erased: named nowhere afterwards, and nobody's shop is left without an owner."""

import io
import json
import uuid
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from chat import erasing
from chat.inbox import packed
from chat.models import Conversation, QuestionGroup, Turn
from controlplane.localcloud.faults import Fault
from controlplane.publishing import cells
from tenants.erasing import machine, person
from tenants.models import Erasure, Membership, Revision, Tenant
from tests.chat.turns import asked, rate, write
from tests.lifecycle.conftest import World

pytestmark = pytest.mark.django_db

EMAIL = "Bo.Tanaka@tea.example"


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("erase_person", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def bo(shop: Tenant) -> User:
    """An editor who has done this and that."""
    user = User.objects.create_user(EMAIL.lower(), EMAIL, "password", is_staff=True, first_name="Bo")
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True)
    Membership.objects.create(user=user, tenant=shop, role="editor")
    shop.landing.sections.create(kind="hero", content={"heading": "Spring"}, position=1)
    shop.landing.publish(user, note="Spring")
    Client().force_login(user)
    kind = ContentType.objects.get_for_model(Tenant)
    entry = {"user": user, "content_type": kind, "object_id": str(shop.pk), "action_flag": CHANGE}
    LogEntry.objects.create(**entry, object_repr="Acme", change_message="")
    added = json.dumps([{"added": {"name": "person", "object": f"{EMAIL.lower()} (Editor)"}}])
    owner = shop.memberships.get(role="owner").user
    LogEntry.objects.create(**{**entry, "user": owner}, object_repr="Acme", change_message=added)
    return user


def test_a_person_is_named_nowhere_and_the_shop_keeps_its_history(shop: Tenant, bo: User, mailoutbox: Any) -> None:
    assert "nothing is left" in run("--email", EMAIL)
    assert not User.objects.filter(email__iexact=EMAIL).exists()
    assert not EmailAddress.objects.filter(email__iexact=EMAIL).exists()
    assert not Session.objects.exists()
    assert Revision.objects.get(note="Spring").author is None
    assert LogEntry.objects.count() == 2
    assert "tanaka" not in str([*LogEntry.objects.values(), *Erasure.objects.values()]).lower()
    assert {entry.user.get_username() for entry in LogEntry.objects.all()} == {"erased", "owner@acme.example"}
    assert "an erased person (Editor)" in LogEntry.objects.exclude(change_message="").get().get_change_message()
    assert shop.memberships.count() == 1
    with pytest.raises(CommandError, match="Nobody has the address"):
        run("--email", EMAIL)


def test_sessions_of_others_stay(shop: Tenant, bo: User) -> None:
    Client().force_login(shop.memberships.get(role="owner").user)
    run("--email", EMAIL)
    assert Session.objects.count() == 1


def test_the_last_owner_of_a_shop_is_refused_and_told_why(shop: Tenant, bo: User) -> None:
    with pytest.raises(CommandError, match="last owner of Acme"):
        run("--email", "owner@acme.example")
    Membership.objects.filter(user=bo).update(role="owner")
    assert "nothing is left" in run("--email", "owner@acme.example")
    with pytest.raises(CommandError, match="last owner of Acme"):
        run("--email", EMAIL)


def test_another_owner_who_left_meanwhile_stops_the_last_step(shop: Tenant, bo: User) -> None:
    Membership.objects.filter(user=bo).update(role="owner")
    erasure = person.begin("owner@acme.example")
    Membership.objects.filter(user=bo).delete()
    machine.advance(erasure)
    erasure.refresh_from_db()
    assert erasure.finished_at is None
    assert "last owner of Acme" in erasure.error
    assert shop.memberships.filter(role="owner").exists()


def test_an_administrator_is_not_erased_by_the_way(db: None) -> None:
    User.objects.create_superuser("root", "root@platform.example", "password")
    with pytest.raises(CommandError, match="administrator"):
        run("--email", "root@platform.example")


def test_a_shoppers_conversation_goes_from_everywhere_and_others_stay(world: World, shop: Tenant) -> None:
    mine = asked(shop, "Is my order 4711 of Erika on its way?", key="c-1")
    others = asked(shop, "Where is my parcel?", key="c-2")
    group = QuestionGroup.objects.create(
        tenant=shop, text=mine[0].question, embedding_model="m", vector=packed([1.0]), size=2
    )
    group.turns.add(*mine, *others)
    turn = write(world.telemetry, shop, conversation_id="c-1")
    rate(world.telemetry, turn, shop, 1)
    rate(world.telemetry, str(mine[0].pk), shop, -1)
    kept = write(world.telemetry, shop, conversation_id="c-2")
    rate(world.telemetry, kept, shop, 1)
    assert "nothing is left" in run("--conversation", "c-1")
    assert [one.key for one in Conversation.objects.all()] == ["c-2"]
    assert "Erika" not in str(
        [*Turn.objects.values(), *QuestionGroup.objects.values("text"), *Erasure.objects.values()]
    )
    assert QuestionGroup.objects.get().text == "Where is my parcel?"
    assert [row[0] for row in world.telemetry.execute("SELECT conversation_id FROM turn")] == ["c-2"]
    assert [row[0] for row in world.telemetry.execute("SELECT turn_id FROM rating")] == [kept]


def test_a_shoppers_cart_goes_with_its_lines_and_others_stay(world: World, full_shop: Tenant) -> None:
    (kept,) = world.stores.instant.entities("carts")
    cart, line = str(uuid.uuid4()), str(uuid.uuid4())
    app = cells.realtime("default")
    values = {"tenantId": str(full_shop.pk), "ownerId": str(uuid.uuid4()), "createdAt": 1_795_000_000_000}
    app.put("carts", {cart: values})
    app.put("cartItems", {line: {"productId": "p", "quantity": 1, "addedAt": 1}}, {line: {"cart": cart}})
    assert "cart 2" in run("--cart", cart)
    assert set(world.stores.instant.entities("carts")) == {kept}
    assert len(world.stores.instant.entities("cartItems")) == 1
    with pytest.raises(CommandError, match="UUID"):
        run("--cart", "everything")


def test_while_a_store_is_away_a_shopper_is_not_erased_and_later_is(world: World, shop: Tenant) -> None:
    cart = str(uuid.uuid4())
    values = {"tenantId": str(shop.pk), "ownerId": str(uuid.uuid4()), "createdAt": 1_795_000_000_000}
    cells.realtime("default").put("carts", {cart: values})
    world.stores.instant.faults.set([Fault(path="/admin", kind="status", status=503)])
    with pytest.raises(CommandError, match="Not finished"):
        run("--cart", cart)
    world.stores.instant.faults.clear()
    assert Erasure.objects.get().finished_at is None
    world.run(2)
    assert Erasure.objects.get().finished_at
    assert cart not in str(Erasure.objects.values())


def test_administrators_ask_for_it_in_the_admin_and_nobody_else(shop: Tenant, bo: User) -> None:
    add = reverse("admin:tenants_erasure_add")
    owner = Client()
    owner.force_login(shop.memberships.get(role="owner").user)
    assert owner.get(add).status_code == 403
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff", password="pass"))
    form = {"way": "email", "name": "owner@acme.example", "sure": "on"}
    assert "last owner of Acme" in staff.post(add, form).content.decode()
    assert "This field is required" in staff.post(add, {**form, "sure": ""}).content.decode()
    page = staff.post(add, {**form, "name": EMAIL}, follow=True).content.decode()
    assert "Under way" in page
    machine.run_due()
    page = staff.get(reverse("admin:tenants_erasure_changelist")).content.decode()
    assert "tanaka" not in page.lower()
    assert "Done" in page


def test_an_id_that_can_be_nobodys_is_refused(db: None) -> None:
    with pytest.raises(ValidationError):
        erasing.begin(conversation=" ")
    with pytest.raises(ValidationError):
        erasing.begin(conversation="x" * 65)
