"""The logs of who did what: Django's own, and the audit log. What they say of somebody who is erased goes.

The audit log is written once; an erasure is the one exception. What the platform's staff did stays, without names.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models.functions import Cast

from tenants.audit.entries import AuditEntry

NOBODY = "an erased person"
A_STEP = 500
BLANK: dict[str, Any] = {"tenant_name": "", "object_repr": "", "changes": None, "changes_text": ""}
TEXTS = {
    LogEntry: ("object_repr", "change_message"),
    AuditEntry: ("object_repr", "changes", "changes_text", "additional_data", "serialized_data", "actor_name",
                 "actor_email", "tenant_name"),
}  # fmt: skip
PERSON = {LogEntry: "user", AuditEntry: "actor"}


def audit() -> models.QuerySet[Any]:
    """Past the manager that refuses changes."""
    return models.QuerySet(AuditEntry)


# --- a shop ---


def of_shop(tenant_id: uuid.UUID) -> models.QuerySet[Any]:
    """The audit log's entries that say something of the shop."""
    blank = models.Q(by_staff=True, **{name: value for name, value in BLANK.items() if value is not None})
    return audit().filter(tenant=tenant_id).exclude(blank & models.Q(changes=None))


def forget_shop(tenant_id: uuid.UUID) -> int:
    entries = of_shop(tenant_id)
    staff = entries.filter(by_staff=True).update(**BLANK)
    deleted: int = entries.filter(by_staff=False)._raw_delete(entries.db)
    return staff + deleted


def forget_objects(model: type[models.Model], ids: Sequence[Any]) -> int:
    """What Django's log says about these objects: it quotes names and titles."""
    kind = ContentType.objects.get_for_model(model)
    return LogEntry.objects.filter(content_type=kind, object_id__in=[str(pk) for pk in ids]).delete()[0]


def about(model: type[models.Model], pk: Any) -> models.QuerySet[LogEntry]:
    return LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model), object_id=str(pk))


# --- a person ---


def entries_of(log: Any, known: Mapping[str, Any]) -> models.QuerySet[Any]:
    """The entries of one log that are by the person, or name them in whatever text."""
    texts = {f"text_of_{name}": Cast(name, models.TextField()) for name in TEXTS[log]}
    found = models.Q(**{PERSON[log]: known["user"]}) if "user" in known else models.Q(pk__in=[])
    for name in texts:
        for one in known["names"]:
            found |= models.Q(**{f"{name}__icontains": one})
    rows: models.QuerySet[Any] = models.QuerySet(log)
    return rows.annotate(**texts).filter(found)


def forget_person(known: Mapping[str, Any]) -> int:
    """Entries stay, because they tell what became of shops; who it was, they no longer say."""
    count = 0
    for log in (LogEntry, AuditEntry):
        for row in entries_of(log, known).iterator(chunk_size=A_STEP):
            models.QuerySet(log).filter(pk=row.pk).update(**_without(log, row, known))
            count += 1
    return count


def _without(log: Any, row: Any, known: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: anonymous(getattr(row, name), known["names"]) for name in TEXTS[log]}
    mine = getattr(row, f"{PERSON[log]}_id") == known.get("user")
    if log is LogEntry:
        return {**values, "user": nobody()} if mine else values  # it needs somebody
    by_address = (row.actor_email or "").lower() in {name.lower() for name in known["names"]}
    if mine or by_address:
        values |= {"actor": None, "actor_name": NOBODY, "actor_email": None, "remote_addr": None, "remote_port": None}
    return values


def nobody() -> User:
    """Stands for everybody who was erased; can't log in."""
    user, made = User.objects.get_or_create(username="erased", defaults={"is_active": False, "first_name": "Erased"})
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def anonymous(value: Any, names: Iterable[str]) -> Any:
    """The value without these names, as text or as JSON of any depth."""
    if not value:
        return value
    if not isinstance(value, str):
        return json.loads(anonymous(json.dumps(value, ensure_ascii=False), names))
    for name in sorted(names, key=len, reverse=True):
        value = re.sub(re.escape(name), NOBODY, value, flags=re.IGNORECASE)
    return value
