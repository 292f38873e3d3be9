"""Which models the audit log covers, and how a change becomes an entry: by a person, in a request, without secrets.

Machine writes (tasks, commands) have no request and leave no entry. What is gathered is written in one statement.
"""

import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest

from tenants.audit import request as requests
from tenants.audit.changes import hidden, readable

if TYPE_CHECKING:
    from tenants.audit.entries import AuditEntry

APPS = ("tenants", "catalog", "chat", "auth", "account", "mfa")
"""Every model of these is covered unless it is named below: a new one is in the log without further ado."""

NOT_COVERED = {
    "tenants.AuditEntry", "tenants.Flag", "tenants.Report",  # what moderators do to a flag, its notes tell
    "tenants.ReleasedHost", "tenants.Allowance", "tenants.Revision",  # a revision is a log itself
    "catalog.FormerSlug", "chat.Conversation", "chat.Turn", "chat.Usage", "chat.Upload", "chat.EmbeddingState",
    "auth.Permission", "account.EmailConfirmation",
}  # fmt: skip
"""What machines write, or what is a record of changes already."""

SECRET = re.compile(r"password|(^|_)token(_hash)?$|secret|(^|_)key$|credential|recovery|(^|_)code$|^data$")
"""Names of fields whose values never get into the log, not even in part; that they changed does."""

NOISE = {
    "id", "created_at", "updated_at", "last_login", "edited_at", "edited_by", "draft_version", "date_joined",
    "next_check_at", "checked_at", "misses", "reminders", "seen", "waiting_since", "state_since", "requested_at",
    "hostname_id", "inventory", "report", "done", "next_try_at", "etag",
    "last_modified", "read_at", "due_at", "reading", "last_used_at",
}  # fmt: skip
"""Book-keeping that goes along with every change."""

gathering: ContextVar[list[Any] | None] = ContextVar("gathered_audit_entries", default=None)
going: ContextVar[frozenset[uuid.UUID]] = ContextVar("shops_being_deleted", default=frozenset())


def covered() -> list[type[models.Model]]:
    found = [model for config in apps.get_app_configs() if config.label in APPS for model in config.get_models()]
    return [model for model in found if model._meta.label not in NOT_COVERED and not model._meta.proxy]


def fields_of(model: type[models.Model]) -> list[str]:
    """The columns whose changes are told."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if field.name not in NOISE and not isinstance(field, models.BinaryField)
    ]


def secrets_of(model: type[models.Model]) -> list[str]:
    return [name for name in fields_of(model) if SECRET.search(name)]


def register() -> None:
    """Called once the apps are ready."""
    from auditlog.registry import auditlog
    from auditlog.signals import pre_log

    for model in covered():
        many = [field.name for field in model._meta.many_to_many]
        secrets, hide = secrets_of(model), f"{hidden.__module__}.{hidden.__name__}"
        auditlog.register(
            model, include_fields=fields_of(model), mask_fields=secrets, mask_callable=hide, m2m_fields=many
        )
    pre_log.connect(_wanted, dispatch_uid="tenants.audit")
    models.signals.pre_delete.connect(_shop_goes, sender="tenants.Tenant", dispatch_uid="tenants.audit")


def _wanted(sender: type[models.Model], instance: models.Model, **kwargs: Any) -> bool:
    """False for what a machine does, and for the thousand things that go with a deleted shop: the shop says it."""
    if requests.current.get() is None:
        return False
    return sender._meta.label == "tenants.Tenant" or not going.get() or tenant_id_of(instance) not in going.get()


def _shop_goes(instance: models.Model, **kwargs: Any) -> None:
    if requests.current.get() is not None:
        going.set(going.get() | {instance.pk})


def tenant_id_of(instance: Any) -> uuid.UUID | None:
    if instance._meta.label == "tenants.Tenant":
        tenant_id: uuid.UUID | None = instance.pk
    elif hasattr(instance, "tenant_id"):
        tenant_id = instance.tenant_id
    else:
        tenant_id = instance.landing.tenant_id if hasattr(instance, "landing_id") else None
    return tenant_id


def record(instance: models.Model, action: int, changes: dict[str, Any] | None) -> "AuditEntry | None":
    """Writes the entry, or keeps it for the end of `gathered()`. None where there is nothing to tell."""
    told = readable(changes or {}, action=action)
    request = requests.current.get()
    if request is None or (not told and action == 1):
        return None
    entry = _entry(request, instance, action, told)
    waiting = gathering.get()
    if waiting is None:
        entry.save(force_insert=True)
    else:
        waiting.append(entry)
    return entry


def _entry(request: HttpRequest, instance: Any, action: int, changes: dict[str, Any]) -> "AuditEntry":
    from tenants.audit.entries import AuditEntry

    tenant_id = tenant_id_of(instance)
    return AuditEntry(
        content_type=ContentType.objects.get_for_model(instance), object_pk=str(instance.pk),
        object_repr=_text(instance)[:200], action=action, changes=changes, cid=requests.request_id(),
        remote_addr=get_adapter().get_client_ip(request), tenant_id=tenant_id,
        tenant_name=_name_of(instance, tenant_id), **_person(request),
    )  # fmt: skip


def _person(request: HttpRequest) -> dict[str, Any]:
    """Who is at the keyboard: with act-as-merchant that is the staff member, not the one whose place they take."""
    user = getattr(request, "acting_staff", None) or getattr(request, "user", None)
    if not isinstance(user, User) or not user.pk:
        return {}
    return {
        "actor_id": user.pk,
        "actor_email": user.email[:254],
        "actor_name": (user.get_full_name() or user.get_username())[:254],
        "by_staff": user.is_superuser or user.has_perm("tenants.support_tenant"),
    }


def _text(instance: models.Model) -> str:
    try:
        return str(instance)
    except Exception:  # the object it is named after went before it
        return instance._meta.verbose_name.__str__()


def _name_of(instance: Any, tenant_id: uuid.UUID | None) -> str:
    if tenant_id is None:
        return ""
    if instance._meta.label == "tenants.Tenant":
        return str(instance.name)
    # Once a request and shop: a file's thousand products are of one shop.
    request: Any = requests.current.get()
    names: dict[uuid.UUID, str] = request.__dict__.setdefault("_audited_shops", {})
    if tenant_id not in names:
        tenants: Any = apps.get_model("tenants", "Tenant")
        names[tenant_id] = tenants._base_manager.filter(pk=tenant_id).values_list("name", flat=True).first() or ""
    return names[tenant_id]


@contextmanager
def gathered() -> Iterator[None]:
    """Entries of this block are written in one statement at its end, within the same transaction."""
    if gathering.get() is not None or requests.current.get() is None:
        yield
        return
    entries: list[Any] = []
    token = gathering.set(entries)
    try:
        yield
    finally:
        gathering.reset(token)
    if entries:
        type(entries[0]).objects.bulk_create(entries, batch_size=500)


def changed(before: Sequence[Any], after: Iterable[Any]) -> None:
    """A queryset's update: what each row was and is."""
    if requests.current.get() is None or not before or not _is_covered(type(before[0])):
        return
    from auditlog.diff import model_instance_diff

    olds = {row.pk: row for row in before}
    with gathered():
        for row in after:
            record(row, 1, model_instance_diff(olds.get(row.pk), row, use_json_for_changes=True))


def created(rows: Sequence[Any]) -> None:
    """A bulk_create, which sends no signal."""
    if requests.current.get() is None or not rows or not _is_covered(type(rows[0])):
        return
    names = [name for name in fields_of(type(rows[0])) if not SECRET.search(name)]
    with gathered():
        for row in rows:
            fields = (row._meta.get_field(name) for name in names)
            record(row, 0, {field.name: (None, getattr(row, field.attname)) for field in fields})


def _is_covered(model: type[models.Model]) -> bool:
    from auditlog.registry import auditlog

    return bool(auditlog.contains(model))
