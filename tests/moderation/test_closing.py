"""The four eyes that end a shop, on the model."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from controlplane.publishing.models import StaleDocument
from tenants.models import ClosingRequest, Tenant

pytestmark = pytest.mark.django_db


def colleague(name: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="close_tenant"))
    return user


@pytest.fixture
def ada(db: None) -> User:
    return colleague("ada")


@pytest.fixture
def bob(db: None) -> User:
    return colleague("bob")


def status(shop: Tenant) -> str:
    return str(Tenant.objects.values_list("status", flat=True).get(pk=shop.pk))


def test_a_second_person_closes_the_shop_and_its_documents_go_stale(shop: Tenant, ada: User, bob: User) -> None:
    asked = ClosingRequest.ask(shop, ada, "Fraud, again.")
    assert (status(shop), ClosingRequest.agreed(shop.pk)) == ("active", False)
    StaleDocument.objects.all().delete()
    asked.agree(bob)
    assert (status(shop), ClosingRequest.agreed(shop.pk)) == ("closed", True)
    assert (asked.decision, asked.decided_by) == ("agreed", bob)
    assert StaleDocument.objects.filter(key="domain:acme.localhost").exists()


def test_nobody_decides_on_their_own_request(shop: Tenant, ada: User) -> None:
    asked = ClosingRequest.ask(shop, ada, "Fraud.")
    for decide in (asked.agree, asked.decline):
        with pytest.raises(ValidationError, match="second person"):
            decide(ada)
    asked.asked_by_id = -1  # an object that lies: the stored row counts
    with pytest.raises(ValidationError, match="decided already"):
        asked.agree(ada)
    with pytest.raises(IntegrityError), transaction.atomic():  # nor past the model
        ClosingRequest.objects.filter(pk=asked.pk).update(decision="agreed", decided_by=ada)
    assert status(shop) == "active"


def test_a_request_is_decided_once(shop: Tenant, ada: User, bob: User) -> None:
    asked = ClosingRequest.ask(shop, ada, "Fraud.")
    same = ClosingRequest.objects.get(pk=asked.pk)
    asked.decline(bob)
    with pytest.raises(ValidationError, match="decided already"):
        same.agree(bob)
    with pytest.raises(ValidationError, match="decided already"):
        same.withdraw(ada)
    assert status(shop) == "active"


def test_only_who_asked_withdraws(shop: Tenant, ada: User, bob: User) -> None:
    asked = ClosingRequest.ask(shop, ada, "Fraud.")
    with pytest.raises(ValidationError):
        asked.withdraw(bob)
    asked.withdraw(ada)
    with pytest.raises(ValidationError, match="decided already"):
        asked.agree(bob)
    ClosingRequest.ask(shop, bob, "Fraud indeed.").agree(ada)  # a new one, the other way round
    assert status(shop) == "closed"


def test_both_need_the_permission_at_the_moment_it_is_decided(shop: Tenant, ada: User, bob: User) -> None:
    nobody = User.objects.create_user("nobody", is_staff=True)
    with pytest.raises(ValidationError, match="may not"):
        ClosingRequest.ask(shop, nobody, "Fraud.")
    asked = ClosingRequest.ask(shop, ada, "Fraud.")
    with pytest.raises(ValidationError, match="may not"):
        asked.agree(nobody)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    with pytest.raises(ValidationError, match="Ask anew"):
        asked.agree(bob)
    assert status(shop) == "active"


def test_one_request_at_a_time_with_a_reason_and_none_for_a_closed_shop(shop: Tenant, ada: User, bob: User) -> None:
    with pytest.raises(ValidationError):
        ClosingRequest.ask(shop, ada, "  ")
    asked = ClosingRequest.ask(shop, ada, "Fraud.")
    with pytest.raises(ValidationError, match="already"):
        ClosingRequest.ask(shop, bob, "Fraud.")
    asked.agree(bob)
    with pytest.raises(ValidationError, match="closed"):
        ClosingRequest.ask(shop, bob, "Fraud.")


def test_an_agreement_of_old_does_not_cover_a_shop_that_was_opened_again(shop: Tenant, ada: User, bob: User) -> None:
    ClosingRequest.ask(shop, ada, "Fraud.").agree(bob)
    Tenant.objects.filter(pk=shop.pk).update(status="active")
    assert not ClosingRequest.agreed(shop.pk)


def test_the_request_outlives_the_shop_and_the_account_of_who_asked(shop: Tenant, ada: User, bob: User) -> None:
    asked = ClosingRequest.ask(shop, ada, "Fraud.")
    asked.agree(bob)
    shop.delete()
    ada.delete()
    asked.refresh_from_db()
    assert (asked.tenant, asked.asked_by, asked.shop) == (None, None, "Acme (acme)")
