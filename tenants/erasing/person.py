"""A person with an account leaves: sessions, names in the history, then the account with all that hangs on it.

What they made for a shop stays the shop's; it no longer says who it was.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import models, transaction

from controlplane.adapters.errors import AdapterError
from controlplane.publishing.models import take_turns
from tenants.erasing import letters, machine
from tenants.erasing.history import logs
from tenants.erasing.machine import Left, Step
from tenants.models import Erasure, Membership, Tenant

NOBODY = "an erased person"
TEXTS = (
    "object_repr",
    "change_message",
    "changes",
    "changes_text",
    "additional_data",
    "serialized_data",
    "actor_email",
)


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
    """Entries stay, because they tell what became of shops; who it was, they no longer say."""
    known = erasure.inventory
    count = 0
    for row in _entries(known):
        for field in row._meta.concrete_fields:
            if field.name in TEXTS:
                setattr(row, field.name, _anonymous(field.value_from_object(row), known["names"]))
        _unlink(row, known)
        row.save()
        count += 1
    return count


def _unlink(row: Any, known: Mapping[str, Any]) -> None:
    if hasattr(row, "actor_id") and row.actor_id == known.get("user"):
        row.actor, row.remote_addr = None, None
    if hasattr(row, "user_id") and row.user_id == known.get("user"):
        row.user = nobody()  # Django's log needs somebody


def nobody() -> User:
    """Stands for everybody who was erased; can't log in."""
    user, made = User.objects.get_or_create(username="erased", defaults={"is_active": False, "first_name": "Erased"})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


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
        "entries of the history": sum(1 for _ in _entries(known)),
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
    for label in ("account.EmailAddress", "tenants.Invitation"):
        try:
            model: Any = apps.get_model(label)
        except LookupError:
            continue
        yield model._base_manager.filter(email__iexact=address)


def _entries(known: Mapping[str, Any]) -> Iterator[Any]:
    """The entries of every log that are by the person, or name them."""
    for log in logs():
        names = {field.name for field in log._meta.concrete_fields}
        found = models.Q()
        for name in names & {"user", "actor"}:
            if "user" in known:
                found |= models.Q(**{name: known["user"]})
        for column in sorted(names & set(TEXTS)):
            for one in known["names"]:
                found |= models.Q(**{f"{column}__icontains": one})
        yield from log._base_manager.filter(found).iterator(chunk_size=500)


def _anonymous(value: Any, names: Sequence[str]) -> Any:
    """The value without these names, as text or as JSON of any depth."""
    if not value:
        return value
    if not isinstance(value, str):
        return json.loads(_anonymous(json.dumps(value, ensure_ascii=False), names))
    for name in sorted(names, key=len, reverse=True):
        value = re.sub(re.escape(name), NOBODY, value, flags=re.IGNORECASE)
    return value
