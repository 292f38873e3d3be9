"""What platform staff do to shops, and what their merchants answer: suspensions, appeals, requests to close."""

import functools
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from tenants.models.shops import Tenant

LONGEST_TEXT = 2000
MOST_APPEALS = 3
"""Of one shop within a day; each must be answered before the next."""


def somebody() -> "models.ForeignKey[Any, Any]":
    """Who did it. What they did outlives their account."""
    return models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)


def words(longest: int = LONGEST_TEXT, *, blank: bool = False) -> "models.TextField[Any, Any]":
    """A `max_length` alone would bind forms only."""
    return models.TextField(max_length=longest, blank=blank, validators=[MaxLengthValidator(longest)])


class Suspension(models.Model):
    """A time in which moderation keeps a shop off the web, why, and how long the web took to follow."""

    class Category(models.TextChoices):
        GOODS = "goods", "Forbidden or unsafe goods"
        FRAUD = "fraud", "Fraud or misleading offers"
        RIGHTS = "rights", "Copyright, trade mark or other rights"
        HARM = "harm", "Hateful, violent or harmful content"
        PRIVACY = "privacy", "Personal data of others"
        SPAM = "spam", "Spam or malicious links"
        TERMS = "terms", "Another breach of the terms"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="suspensions", editable=False)
    by = somebody()
    category = models.CharField(max_length=16, choices=Category)
    text = words()
    note = words(blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)
    lifted_at = models.DateTimeField(null=True, editable=False)
    lifted_by = somebody()
    # Seconds from `at` until the edge was seen to serve nothing; None: not yet. See tenants.moderation.darkness.
    page_dark_after = models.FloatField(null=True, editable=False)
    chat_dark_after = models.FloatField(null=True, editable=False)
    products_dark_after = models.FloatField(null=True, editable=False)
    looked_at = models.DateTimeField(null=True, editable=False)
    problem = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(lifted_at=None), name="one_suspension_of_a_shop_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Suspension of {self.tenant}"

    @classmethod
    @transaction.atomic
    def start(cls, tenant: Tenant, by: User | None, *, category: str, text: str, note: str = "") -> Self:
        """Takes the shop off the web. Raises ValidationError where it is not on it."""
        # The queryset's update marks the shop's documents stale, and only one of two at once finds it active.
        if not Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.ACTIVE).update(status=Tenant.Status.SUSPENDED):
            raise ValidationError(f"{tenant} is not active.")
        made = cls(tenant=tenant, by=by, category=category, text=text.strip(), note=note.strip())
        made.full_clean()
        made.save(force_insert=True)
        tenant.status = Tenant.Status.SUSPENDED
        made._afterwards("suspended")
        transaction.on_commit(functools.partial(follow, made.pk), robust=True)
        return made

    @classmethod
    @transaction.atomic
    def lift(cls, tenant: Tenant, by: User | None) -> Self | None:
        """Puts the shop back as it was: nothing of it was changed. Raises ValidationError where it isn't suspended.

        An appeal that waits is answered by it. None for a shop whose suspension has no record.
        """
        if not Tenant.objects.filter(pk=tenant.pk, status=Tenant.Status.SUSPENDED).update(status=Tenant.Status.ACTIVE):
            raise ValidationError(f"{tenant} is not suspended.")
        tenant.status = Tenant.Status.ACTIVE
        lifted = cls.of(tenant)
        if lifted is not None:
            lifted.lifted_at, lifted.lifted_by = timezone.now(), by
            lifted.save(update_fields=["lifted_at", "lifted_by"])
            waiting = Appeal.objects.filter(suspension=lifted, answered_at=None)
            waiting.update(answer="The shop has been restored.", answered_by=by, answered_at=lifted.lifted_at)
            lifted._afterwards("restored")
        return lifted

    @classmethod
    def of(cls, tenant: Tenant) -> Self | None:
        """The one that keeps the shop off the web now."""
        return cls.objects.filter(tenant=tenant.pk, lifted_at=None).select_related("tenant").first()

    @property
    def dark_after(self) -> float | None:
        """Seconds until nothing of the shop was served; None: something still is, or was when it was lifted."""
        parts = (self.page_dark_after, self.chat_dark_after, self.products_dark_after)
        return None if None in parts else max(part for part in parts if part is not None)

    def _afterwards(self, news: str) -> None:
        transaction.on_commit(functools.partial(tell_owners, news, self.pk), robust=True)


class Appeal(models.Model):
    """A merchant's word against a suspension, and the answer. One at a time: the next may follow the answer."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    suspension = models.ForeignKey(Suspension, models.CASCADE, related_name="appeals", editable=False)
    by = somebody()
    text = words()
    at = models.DateTimeField(default=timezone.now, editable=False)
    answer = words(blank=True)
    answered_by = somebody()
    answered_at = models.DateTimeField(null=True, db_index=True, editable=False)

    class Meta:
        ordering = ["at"]
        constraints = [
            models.UniqueConstraint(
                fields=["suspension"], condition=models.Q(answered_at=None), name="one_unanswered_appeal_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Appeal of {self.suspension.tenant}"

    @classmethod
    @transaction.atomic
    def send(cls, suspension: Suspension, by: User, text: str) -> Self:
        """Raises ValidationError with a sentence: too long or empty, one waits, too many today, or it is over."""
        held = Suspension.objects.select_for_update().get(pk=suspension.pk)
        if held.lifted_at is not None:
            raise ValidationError("Your shop is not suspended any more.")
        if held.appeals.filter(answered_at=None).exists():
            raise ValidationError("Your last message has not been answered yet.")
        today = cls.objects.filter(suspension__tenant=held.tenant_id, at__gt=timezone.now() - timedelta(days=1))
        if today.count() >= MOST_APPEALS:
            raise ValidationError(f"You can send {MOST_APPEALS} messages within a day. Please try again tomorrow.")
        made = cls(suspension=held, by=by, text=text.strip())
        made.full_clean()
        made.save(force_insert=True)
        return made

    @transaction.atomic
    def answer_with(self, by: User, text: str) -> None:
        """Raises ValidationError for an empty or too long answer, or where somebody was faster."""
        self.answer, self.answered_by, self.answered_at = text.strip(), by, timezone.now()
        if not self.answer:
            raise ValidationError("Write an answer.")
        self.full_clean(validate_unique=False, validate_constraints=False)
        waiting = type(self).objects.filter(pk=self.pk, answered_at=None)
        if not waiting.update(answer=self.answer, answered_by=by, answered_at=self.answered_at):
            raise ValidationError("Somebody has answered this already.")
        transaction.on_commit(functools.partial(tell_owners, "answered", self.pk), robust=True)


class ClosingRequest(models.Model):
    """The four eyes that end a shop: one of the staff asks, another one agrees or declines."""

    class Decision(models.TextChoices):
        OPEN = "", "Waits for a second person"
        AGREED = "agreed", "Agreed"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # It outlives the shop, whose name is therefore kept.
    tenant = models.ForeignKey(Tenant, models.SET_NULL, null=True, related_name="+", editable=False)
    shop = models.CharField(max_length=120, editable=False)
    asked_by = somebody()
    reason = words()
    asked_at = models.DateTimeField(default=timezone.now, editable=False)
    decision = models.CharField(max_length=16, choices=Decision, blank=True, default="", editable=False)
    decided_by = somebody()
    decided_at = models.DateTimeField(null=True, editable=False)

    PERMISSION: ClassVar[str] = "tenants.close_tenant"

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(decision=""), name="one_open_request_to_close_a_shop"
            ),
            models.CheckConstraint(
                condition=~models.Q(decision__in=("agreed", "declined"), decided_by=models.F("asked_by")),
                name="a_second_person_decides_on_closing",
            ),
        ]

    def __str__(self) -> str:
        return f"Request to close {self.shop}"

    @classmethod
    @transaction.atomic
    def ask(cls, tenant: Tenant, by: User, reason: str) -> Self:
        """Raises ValidationError: no reason, a shop that is closed, a request that is open; or no right to ask."""
        cls._require(by)
        held = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        if held.status == Tenant.Status.CLOSED:
            raise ValidationError(f"{tenant} is closed.")
        if cls.open_of(tenant) is not None:
            raise ValidationError(f"Somebody has asked to close {tenant} already.")
        made = cls(tenant=tenant, shop=f"{tenant.name} ({tenant.slug})", asked_by=by, reason=reason.strip())
        made.full_clean()
        made.save(force_insert=True)
        return made

    @classmethod
    def open_of(cls, tenant: Tenant) -> Self | None:
        return cls.objects.filter(tenant=tenant.pk, decision="").select_related("asked_by").first()

    @classmethod
    def agreed(cls, tenant_id: uuid.UUID) -> bool:
        """Whether two people agreed on the end of the shop, and it has been closed ever since."""
        closed = Tenant.objects.filter(pk=tenant_id, status=Tenant.Status.CLOSED)
        return closed.exists() and cls.objects.filter(tenant=tenant_id, decision=cls.Decision.AGREED).exists()

    @transaction.atomic
    def agree(self, by: User) -> None:
        """Closes the shop. Raises ValidationError: the same person, decided already, or no right to."""
        from tenants import closing

        asker = type(self).objects.select_related("asked_by").get(pk=self.pk).asked_by
        if asker is None or not asker.has_perm(self.PERMISSION):
            raise ValidationError("Whoever asked may not close shops any more. Ask anew.")
        self._decide(by, self.Decision.AGREED)
        assert self.tenant is not None
        closing.begin(self.tenant, by, by_staff=True)

    def decline(self, by: User) -> None:
        self._decide(by, self.Decision.DECLINED)

    @transaction.atomic
    def withdraw(self, by: User) -> None:
        """By whoever asked."""
        self._settle(type(self).objects.filter(asked_by=by), by, self.Decision.WITHDRAWN)

    @transaction.atomic
    def _decide(self, by: User, decision: str) -> None:
        self._require(by)
        if self.asked_by_id == by.pk:
            raise ValidationError("A second person has to decide.")
        self._settle(type(self).objects.exclude(asked_by=by), by, decision)

    def _settle(self, allowed: models.QuerySet["ClosingRequest"], by: User, decision: str) -> None:
        # One conditional statement: of two who decide at once one finds it open, and nobody decides on their own.
        rows = allowed.filter(pk=self.pk, decision="", tenant__isnull=False)
        if not rows.update(decision=decision, decided_by=by, decided_at=timezone.now()):
            raise ValidationError("This has been decided already.")
        self.refresh_from_db()

    @classmethod
    def _require(cls, by: User) -> None:
        if not by.has_perm(cls.PERMISSION):
            raise ValidationError("You may not close shops.")


def follow(suspension_id: uuid.UUID) -> None:
    from controlplane.publishing.tasks import send
    from tenants.tasks import follow_suspension

    send(follow_suspension, str(suspension_id))


def tell_owners(news: str, pk: uuid.UUID) -> None:
    """Has the workers write to the owners; without a broker it is done here."""
    from controlplane.publishing.tasks import send
    from tenants.moderation import letters
    from tenants.tasks import write_to_owners

    if not send(write_to_owners, news, str(pk)):
        letters.write(news, str(pk))
