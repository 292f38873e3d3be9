"""StaleDocument, the outbox row, and Publishable, the base of every model that shows up in a document."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from importlib import import_module
from typing import Any, Self, TypeVar

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from controlplane.publishing.documents import Document

M = TypeVar("M", bound="Publishable")
OwnedDocument = tuple[uuid.UUID | None, Document]
"""A document and the tenant it belongs to."""


class StaleDocumentQuerySet(models.QuerySet["StaleDocument"]):
    def due(self, destination: str, now: datetime | None = None) -> Self:
        return self.filter(destination=destination, parked_at=None, due_at__lte=now or timezone.now())

    def parked(self) -> Self:
        return self.exclude(parked_at=None)

    def retry(self) -> int:
        """Makes parked and backing-off rows due now, by hand. Returns how many."""
        count = self.update(parked_at=None, due_at=timezone.now(), attempts=0)
        transaction.on_commit(nudge)
        return count


class StaleDocument(models.Model):
    """Says that a document in a store no longer matches the database; never what it should hold.

    `revision` changes with every edit, so a delivery that began before an edit does not mark it done. `due_at`
    is also the lease: whoever delivers pushes it into the future. `tenant` has no constraint, because the row
    outlives a deleted tenant until the stores are clean.
    """

    id = models.BigAutoField(primary_key=True)
    tenant = models.ForeignKey(
        "tenants.Tenant", models.DO_NOTHING, db_constraint=False, null=True, related_name="stale_documents"
    )
    destination = models.CharField(max_length=16)
    key = models.CharField(max_length=300)
    revision = models.UUIDField(default=uuid.uuid4)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    parked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = StaleDocumentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["destination", "key"], name="one_row_per_document")]
        indexes = [
            models.Index(fields=["destination", "due_at"], condition=models.Q(parked_at=None), name="due_documents"),
            models.Index(fields=["tenant"], condition=~models.Q(parked_at=None), name="parked_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.destination} {self.key}"

    @classmethod
    def mark(cls, documents: Iterable[OwnedDocument]) -> None:
        """Marks documents stale within the caller's transaction and nudges delivery once it commits.

        On conflict `due_at` stays: it may be a running delivery's lease or a store's back-off, and an edit must
        not start a second delivery beside the first. A parked row becomes due again: the edit may be the cure.
        """
        owners = {document: tenant for tenant, document in documents}
        now = timezone.now()
        # In key order, so that two transactions that mark documents of several shops can't deadlock.
        rows = [
            cls(tenant_id=owners[document], destination=document.destination, key=document.key, due_at=now)
            for document in sorted(owners)
        ]
        cls.objects.bulk_create(
            rows,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["destination", "key"],
            update_fields=["tenant", "revision", "parked_at"],
        )
        if rows:
            transaction.on_commit(nudge)


def take_turns(tenant_ids: Iterable[uuid.UUID | None]) -> None:
    """Lets the transaction that holds it be the only writer of these shops until it ends; others wait.

    All edits of a shop meet on its pages' rows in the outbox, so two that lock their products in different orders
    would deadlock. Outside a transaction, where nothing can be held, it does nothing; SQLite has one writer anyway.
    """
    if not transaction.get_connection().in_atomic_block:
        return
    tenants: Any = StaleDocument._meta.get_field("tenant").related_model
    held = tenants._base_manager.select_for_update(no_key=True).filter(pk__in={*tenant_ids} - {None}).order_by("pk")
    list(held.values_list("pk"))


def nudge() -> None:
    """Asks the workers to deliver now; a broker that is down does not matter, beat sweeps."""
    from controlplane.publishing import tasks

    tasks.nudge()


def recorder() -> Any:
    """The audit log's module, for bulk writes: they send no signals."""
    return import_module(settings.BULK_RECORDER)


class PublishableQuerySet(models.QuerySet[M]):
    """Bulk writes mark what they touch, as `save()` and `delete()` do: keys before and after, one transaction."""

    def update(self, **kwargs: Any) -> int:
        with transaction.atomic(using=self.db):
            self.model.take_turns(self.order_by())
            before = list(self.select_for_update(of=("self",), no_key=True).order_by())
            fields = frozenset(kwargs)
            documents = [*self.model.documents_of(before, fields)]
            count = super().update(**kwargs)
            after = list(self.model._base_manager.using(self.db).filter(pk__in=[row.pk for row in before]))
            recorder().changed(before, after)
            StaleDocument.mark([*documents, *self.model.documents_of(after, fields)])
        return count

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=self.db):
            self.model.take_turns(self.order_by())
            documents = [*self.model.documents_of(list(self.order_by()), None)]
            with recorder().gathered():
                deleted = super().delete()
            StaleDocument.mark(documents)
        return deleted

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        objs = list(objs)
        with transaction.atomic(using=self.db):
            self.model.take_turns(objs)
            created = super().bulk_create(objs, *args, **kwargs)
            recorder().created(created)
            StaleDocument.mark(self.model.documents_of(created, None))
        return created

    # bulk_update() goes through update(), and so does every related manager.


PublishableManager = models.Manager.from_queryset(PublishableQuerySet)


class Publishable(models.Model):
    """A model that shows up in documents and says in which; every way to write it marks them stale."""

    objects = PublishableManager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic(using=kwargs.get("using")):
            self.take_turns([self])
            # Locked, so that what counts as changed can't be overtaken by another transaction's commit.
            locked = type(self)._base_manager.select_for_update(no_key=True)
            stored = None if self._state.adding else locked.filter(pk=self.pk).first()
            fields = self._fields_that_differ(stored) if stored else None
            documents = [*self.documents_of([stored], fields)] if stored else []
            super().save(*args, **kwargs)
            if fields is None or fields:
                StaleDocument.mark([*documents, *self.documents_of([self], fields)])

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic(using=kwargs.get("using")):
            self.take_turns([self])
            documents = [*self.documents_of([self], None)]
            deleted = super().delete(*args, **kwargs)
            StaleDocument.mark(documents)
        return deleted

    @classmethod
    def take_turns(cls, rows: Iterable[Self]) -> None:
        """Makes this transaction the only writer of the rows' shops; any document tells whose it is."""
        take_turns(tenant for tenant, _ in cls.documents_of([*rows], frozenset()))

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        """The documents that `rows` show on when `fields` change (None: when a row appears or goes)."""
        raise NotImplementedError

    def _fields_that_differ(self, stored: models.Model) -> frozenset[str]:
        return frozenset(
            field.name
            for field in self._meta.concrete_fields
            if not getattr(field, "auto_now", False)
            and self.__dict__.get(field.attname, getattr(stored, field.attname)) != getattr(stored, field.attname)
        )
