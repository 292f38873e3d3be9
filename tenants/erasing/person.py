"""A person with an account leaves: sessions, names in the history, then the account with all that hangs on it.

What they made for a shop stays the shop's; it no longer says who it was.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import models, transaction

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.models import take_turns
from tenants.erasing import history as log
from tenants.erasing import letters, machine
from tenants.erasing.machine import Left, Step
from tenants.models import Erasure, Invitation, Membership, Tenant


def begin(email: str, by: Any = None) -> Erasure:
    """The erasure of the person with this address. Raises ValidationError with what stands in the way."""
    address = email.strip().lower()
    user = find(address)
    if user is not None:
        check(user)
    known = inventory_of(address, user)
    if user is None and not _left(address, known):
        raise ValidationError(f"Nobody has the address {address} here.")
    return machine.begin("person", address, known, by)


def find(address: str) -> User | None:
    found = User.objects.filter(models.Q(email__iexact=address) | models.Q(username__iexact=address)).first()
    if found is None and (owned := EmailAddress.objects.filter(email__iexact=address).first()):
        found = owned.user
    return found


def inventory_of(address: str, user: User | None) -> dict[str, Any]:
    if user is None:
        return {"names": [address]}
    return {"user": user.pk, "names": sorted({address, user.get_username(), user.email} - {""})}


def check(user: User) -> None:
    """Raises ValidationError for whom a shop, or the platform, still needs."""
    if user.is_superuser:
        raise ValidationError("This is an administrator of the platform. Take those rights away first.")
    if alone := shops_of_last_owner(user):
        names = ", ".join(shop.name for shop in alone)
        raise ValidationError(
            f"This person is the last owner of {names}. Give the shop another owner first, or close it and wait until "
            "it is erased."
        )


def shops_of_last_owner(user: User) -> list[Tenant]:
    owned = Tenant.objects.filter(memberships__user=user, memberships__role=Membership.Role.OWNER)
    others = Membership.objects.filter(role=Membership.Role.OWNER, user__is_active=True).exclude(user=user)
    return list(owned.exclude(pk__in=others.values("tenant")).order_by("name"))


# --- steps ---


def sessions(erasure: Erasure) -> int:
    ended = [row.pk for row in _sessions(erasure.inventory)]
    return Session.objects.filter(pk__in=ended).delete()[0]


def history(erasure: Erasure) -> int:
    return log.forget_person(erasure.inventory)


def account(erasure: Erasure) -> int:
    """Checked once more under the shops' locks: another owner may have gone meanwhile."""
    user = User.objects.filter(pk=erasure.inventory.get("user")).first()
    count = 0
    with transaction.atomic():
        if user is not None:
            take_turns(user.memberships.values_list("tenant_id", flat=True))
            try:
                check(user)
            except ValidationError as error:
                raise AdapterError(error.messages[0], permanent=False) from None
            count += user.delete()[0]
        for rows in _by_address(erasure.subject):
            count += rows.delete()[0]
    return count


STEPS: Mapping[str, Step] = {step.__name__: step for step in (sessions, history, account)}


def leftovers(erasure: Erasure) -> Sequence[Left]:
    return _left(erasure.subject, erasure.inventory)


def _left(address: str, known: Mapping[str, Any]) -> list[Left]:
    counts = {
        "accounts": User.objects.filter(
            models.Q(pk=known.get("user")) | models.Q(email__iexact=address) | models.Q(username__iexact=address)
        ).count(),
        "sessions": sum(1 for _ in _sessions(known)),
        "entries of the history": sum(log.entries_of(one, known).count() for one in log.TEXTS),
    }
    counts |= {str(rows.model._meta.verbose_name_plural): rows.count() for rows in _by_address(address)}
    return [Left(store="Database", what=what, count=count) for what, count in counts.items() if count]


def finished(erasure: Erasure) -> None:
    letters.person_erased(erasure.subject)


# --- where a person is named ---


def _sessions(known: Mapping[str, Any]) -> Iterator[Session]:
    """A session knows its user inside only: all of them are opened."""
    if "user" in known:
        for row in Session.objects.iterator(chunk_size=500):
            if str(row.get_decoded().get(SESSION_KEY)) == str(known["user"]):
                yield row


def _by_address(address: str) -> Iterator[models.QuerySet[Any]]:
    """Rows that are about an address and nothing else: proven ones, invitations."""
    for model in (EmailAddress, Invitation):
        yield model._base_manager.filter(email__iexact=address)
