"""Flags: what shoppers, rules and platform staff hold against a shop's content, and what moderators made of it."""

import hashlib
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from tenants.models.shops import Tenant

STUBBORN = 3
"""So many new reports bring back what was dismissed; what was resolved comes back with the first."""

KEPT_EMAILS = timedelta(days=180)
"""How long a reporter's address is kept after their report."""


class TakenError(Exception):
    """Somebody else was faster, or works on the flag: nothing was changed. The text says who."""


class FlagQuerySet(models.QuerySet["Flag"]):
    def unfinished(self) -> Self:
        return self.filter(closed=False)

    def take(self, by: AbstractBaseUser) -> int:
        """Those that nobody has taken become this moderator's. Returns how many; the others stay as they are."""
        return self._each("take", by)

    def dismiss(self, by: AbstractBaseUser, reason: str) -> int:
        return self._each("dismiss", by, reason)

    def _each(self, act: str, *args: Any) -> int:
        done = 0
        for flag in self.order_by("pk"):
            try:
                getattr(flag, act)(*args)
            except TakenError:
                continue
            done += 1
        return done


class Flag(models.Model):
    """One thing held against a shop. Equal reports are one flag with a `count`; `weight` orders the queue."""

    class Source(models.TextChoices):
        SHOPPER = "shopper", "Shopper"
        RULE = "rule", "Rule"
        STAFF = "staff", "Staff"

    class Kind(models.TextChoices):
        ILLEGAL = "illegal", "Illegal goods"
        SCAM = "scam", "Scam"
        COUNTERFEIT = "counterfeit", "Counterfeit"
        PRIVACY = "privacy", "Personal data"
        OFFENSIVE = "offensive", "Offensive"
        OTHER = "other", "Other"
        WORD = "word", "Blocked word"
        LINK = "link", "Suspicious link"
        SCRIPT = "script", "Executable content"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        ASSIGNED = "assigned", "Assigned"
        RESOLVED = "resolved", "Resolved"
        DISMISSED = "dismissed", "Dismissed"

    GRAVITY: ClassVar[dict[str, int]] = {
        "illegal": 60, "scam": 50, "script": 50, "privacy": 40, "offensive": 30, "counterfeit": 30, "word": 20,
        "link": 20,
    }  # fmt: skip
    """What weighs more is looked at first; each further reporter adds to it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="flags", verbose_name="shop")
    source = models.CharField(max_length=8, choices=Source, default=Source.STAFF, editable=False)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.OTHER)
    subject = models.CharField(max_length=16, blank=True, editable=False)
    subject_id = models.CharField(max_length=64, blank=True, editable=False)
    path = models.CharField("what", max_length=300, blank=True, help_text="Such as /products/kettle, or the shop.")
    excerpt = models.TextField("why", max_length=1000, blank=True)
    merge_key = models.CharField(max_length=32, editable=False)
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN, editable=False)
    closed = models.BooleanField(default=False, editable=False)  # follows from the status; an index orders by it
    weight = models.PositiveIntegerField(default=0, editable=False)
    count = models.PositiveIntegerField("reports", default=1, editable=False)
    since_closed = models.PositiveIntegerField(default=0, editable=False)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assigned_flags", editable=False
    )
    outcome = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField("first", default=timezone.now, editable=False)
    updated_at = models.DateTimeField("last", default=timezone.now, editable=False)

    objects: ClassVar[Any] = FlagQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "merge_key"], name="one_flag_per_thing")]
        indexes = [
            models.Index(fields=["closed", "-weight", "created_at", "id"], name="flags_in_order"),
            models.Index(fields=["tenant"], condition=models.Q(closed=False), name="open_flags_of_tenant"),
            models.Index(fields=["assignee"], condition=models.Q(closed=False), name="open_flags_of_moderator"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.path or self.tenant}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.weight = self.GRAVITY.get(self.kind, 10) + min(self.count - 1, 100) * 5
        super().save(*args, **kwargs)

    @classmethod
    @transaction.atomic
    def put(cls, tenant: Tenant, *, merge: tuple[str, ...], **values: Any) -> tuple["Flag", bool]:
        """The flag of this thing, locked for the transaction; True: it is new. `merge` says which things are equal."""
        key = hashlib.sha256("\0".join(merge).encode("utf-8", "replace")).hexdigest()[:32]
        flag, created = cls.objects.get_or_create(tenant=tenant, merge_key=key, defaults=values)
        if created:
            return flag, True
        return cls.objects.select_for_update(of=("self",)).get(pk=flag.pk), False

    def again(self, at: Any = None, *, counted: bool = True) -> None:
        """It was reported once more: counts it, and opens the flag again where that is due. Holds the row's lock."""
        self.count += counted
        self.since_closed += self.closed
        self.updated_at = max(self.updated_at, at or timezone.now())
        due = STUBBORN if self.status == self.Status.DISMISSED else 1
        if self.closed and self.since_closed >= due:
            self.bring_back("Opened again: it was reported again.")
        else:
            self.save()

    def bring_back(self, told: str) -> None:
        """Opens what was closed, for anybody to take. Holds the row's lock."""
        self.status, self.closed, self.since_closed, self.assignee = self.Status.OPEN, False, 0, None
        self.updated_at = timezone.now()
        self.save()
        self.notes.create(text=told)

    # --- what moderators do: each change holds only if the flag is still as it was seen ---

    def take(self, by: AbstractBaseUser) -> None:
        """Raises TakenError if another moderator has it already."""
        self._change(models.Q(status="open"), by, "Took it.", status="assigned", assignee=by)

    def give_back(self, by: AbstractBaseUser) -> None:
        self._change(models.Q(status="assigned", assignee=by), by, "Gave it back.", status="open", assignee=None)

    def assign(self, by: AbstractBaseUser, to: AbstractBaseUser) -> None:
        """Hands it to somebody, whoever had it when `by` looked."""
        seen = models.Q(closed=False, assignee=self.assignee_id)
        self._change(seen, by, f"Assigned it to {to}.", status="assigned", assignee=to)

    def resolve(self, by: AbstractBaseUser, reason: str) -> None:
        self._close(by, self.Status.RESOLVED, reason)

    def dismiss(self, by: AbstractBaseUser, reason: str) -> None:
        self._close(by, self.Status.DISMISSED, reason)

    def reopen(self, by: AbstractBaseUser) -> None:
        self._change(models.Q(closed=True), by, "Opened it again.", status="open", assignee=None, closed=False)

    def _close(self, by: AbstractBaseUser, status: "Flag.Status", reason: str) -> None:
        """A flag that somebody else works on stays theirs."""
        allowed = models.Q(closed=False) & (models.Q(assignee=None) | models.Q(assignee=by))
        told = f"{status.label}: {reason}"
        self._change(allowed, by, told, status=status, closed=True, outcome=reason[:300], assignee=by, since_closed=0)

    @transaction.atomic
    def _change(self, allowed: models.Q, by: AbstractBaseUser, told: str, **changes: Any) -> None:
        if not Flag.objects.filter(allowed, pk=self.pk).update(**changes, updated_at=timezone.now()):
            raise TakenError(self._why_not())
        self.refresh_from_db()
        self.notes.create(author_id=by.pk, text=told)

    def _why_not(self) -> str:
        now = Flag.objects.select_related("assignee").filter(pk=self.pk).first()
        if now is None:
            return "This flag is gone."
        if now.closed:
            return f"This flag is {now.get_status_display().lower()} already."
        return f"{now.assignee} is working on this flag." if now.assignee else "Nobody is working on this flag."


class FlagNote(models.Model):
    """What a moderator wrote or did; without an author: what happened by itself."""

    flag = models.ForeignKey(Flag, models.CASCADE, related_name="notes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = models.TextField(max_length=2000)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def tenant_id(self) -> uuid.UUID:
        """For the audit log."""
        return self.flag.tenant_id


class Report(models.Model):
    """What one shopper reported; several of one reporter about one thing are one. `id` is the edge's."""

    id = models.UUIDField(primary_key=True)
    flag = models.ForeignKey(Flag, models.CASCADE, related_name="reports")
    reporter = models.CharField(max_length=64)
    text = models.TextField(blank=True)
    email = models.CharField(max_length=254, blank=True)
    lang = models.CharField(max_length=16, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "pk"]
        constraints = [models.UniqueConstraint(fields=["flag", "reporter"], name="one_report_per_reporter")]
        indexes = [models.Index(fields=["at"], condition=~models.Q(email=""), name="reports_with_email")]

    def __str__(self) -> str:
        return self.text[:80]

    @classmethod
    def forget_addresses(cls) -> int:
        return cls.objects.exclude(email="").filter(at__lt=timezone.now() - KEPT_EMAILS).update(email="")
