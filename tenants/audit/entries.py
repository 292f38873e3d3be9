"""AuditEntry, one change by one person. Written once; nothing in the application changes or deletes it."""

from typing import Any, ClassVar, NoReturn

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from tenants.audit import recording


class AppendOnlyError(Exception):
    """Somebody tried to change or delete what happened."""


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError

    def delete(self) -> NoReturn:
        raise AppendOnlyError

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class AuditManager(LogEntryManager.from_queryset(AuditQuerySet)):  # type: ignore[misc]
    """What django-auditlog's receivers call; the entry is ours."""

    def log_create(self, instance: models.Model, force_log: bool = False, **kwargs: Any) -> "AuditEntry | None":
        return recording.record(instance, kwargs.get("action", AuditEntry.Action.UPDATE), kwargs.get("changes"))

    def log_m2m_changes(
        self, changed_queryset: Any, instance: models.Model, operation: str, field_name: str, **kwargs: Any
    ) -> "AuditEntry | None":
        # After a clear() the library names every row there is: what was set before is not known any more.
        everything = not changed_queryset.query.where
        names = "everything" if everything else ", ".join(sorted(str(one) for one in changed_queryset))
        change = ("", names) if operation == "add" else (names, "")
        return recording.record(instance, AuditEntry.Action.UPDATE, {field_name: change}) if names else None


class AuditEntry(AbstractLogEntry):  # type: ignore[misc]
    """A change to one object. Names stand beside the references, which a deletion empties; there is no constraint on
    the shop, as the entry outlives it."""

    id = models.BigAutoField(primary_key=True)
    # The library's own indexes on single columns are of no use to a list that is read by time.
    object_pk = models.CharField(max_length=255)
    object_id = models.BigIntegerField(null=True)
    action = models.PositiveSmallIntegerField(choices=AbstractLogEntry.Action.choices)
    timestamp = models.DateTimeField("when", default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False, verbose_name="person"
    )
    content_type = models.ForeignKey("contenttypes.ContentType", models.PROTECT, related_name="+", db_index=False)
    cid = models.CharField("request", max_length=64, blank=True)
    tenant = models.ForeignKey(
        "tenants.Tenant", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+",
        verbose_name="shop",
    )  # fmt: skip
    tenant_name = models.CharField(max_length=80, blank=True)
    actor_name = models.CharField(max_length=254, blank=True)
    by_staff = models.BooleanField(default=False)

    objects: ClassVar[Any] = AuditManager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["-timestamp", "-id"], name="audit_by_time"),
            models.Index(fields=["tenant", "-timestamp", "-id"], name="audit_of_tenant"),
            models.Index(fields=["actor", "-timestamp", "-id"], name="audit_of_person"),
            models.Index(fields=["content_type", "object_pk", "-timestamp"], name="audit_of_object"),
            models.Index(fields=["actor_email", "-timestamp", "-id"], name="audit_of_email"),  # outlives the account
            models.Index(fields=["cid"], name="audit_of_request"),
        ]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.object_repr}".capitalize()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError

    @property
    def person(self) -> str:
        return self.actor_name or "Nobody logged in"

    @property
    def verb(self) -> str:
        return ("added", "changed", "deleted", "opened")[self.action]

    @property
    def kind(self) -> str:
        """What sort of thing it is about, in the admin's words."""
        model = self.content_type.model_class()
        return str(model._meta.verbose_name if model else self.content_type.model)

    @property
    def deed(self) -> str:
        """As the front page tells it."""
        went_live = (self.changes or {}).get("live")
        if self.content_type.model == "landing" and went_live:
            return f"{'published' if went_live[1] else 'took down'} the landing page of {self.tenant_name}"
        fields = f": {self.summary}" if self.action == self.Action.UPDATE and self.summary else ""
        return f"{self.verb} {self.kind} “{self.object_repr[:80]}”{fields}"

    @property
    def rows(self) -> list[tuple[str, str, str]]:
        """Field, before, after."""
        return [(name.replace("_", " "), before, after) for name, (before, after) in (self.changes or {}).items()]

    @property
    def summary(self) -> str:
        names = [name for name, _, _ in self.rows]
        return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


class AuditedQuerySet(models.QuerySet[Any]):
    """For models that show up in no document: bulk writes send no signals, so they are recorded here."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            before = list(self.order_by())
            count = super().update(**kwargs)
            recording.changed(before, self.model._base_manager.using(self.db).filter(pk__in=[row.pk for row in before]))
        return count

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> list[Any]:
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            recording.created(created)
        return created
