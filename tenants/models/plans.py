"""Plans: what a shop may hold, as data that the platform's administrators keep."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self

from django.db import models, transaction

from controlplane.publishing.models import OwnedDocument, Publishable

CHAT_LIMITS = ("daily_messages", "daily_tokens")
STANDARD: dict[str, Any] = {
    "name": "Standard", "domains": 25, "products": 5_000, "knowledge": 1_000,
    "daily_messages": 5_000, "daily_tokens": 5_000_000,
}  # fmt: skip
"""The default plan of a platform that has none yet."""


class Plan(Publishable):
    """The limits of the shops that have it; an empty one limits nothing. A lower limit takes nothing away: it only
    refuses more. The chat's budgets cap those that merchants set themselves."""

    name = models.CharField(max_length=60, unique=True)
    domains = models.PositiveIntegerField(
        "own domains", null=True, blank=True, help_text="Addresses on the platform do not count. Empty: no limit."
    )
    products = models.PositiveIntegerField(null=True, blank=True, help_text="Of every status. Empty: no limit.")
    knowledge = models.PositiveIntegerField(
        "knowledge entries", null=True, blank=True, help_text="Questions, texts, files and pages. Empty: no limit."
    )
    daily_messages = models.PositiveIntegerField(
        "chat messages a day", null=True, blank=True, help_text="Caps what shops set themselves. Empty: no cap."
    )
    daily_tokens = models.PositiveIntegerField(
        "chat tokens a day", null=True, blank=True, help_text="Caps what shops set themselves. Empty: no cap."
    )
    is_default = models.BooleanField(
        "for new shops", default=False, help_text="The plan of every new shop. Another one loses this mark."
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["is_default"], condition=models.Q(is_default=True), name="one_default_plan")
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            if self.is_default:
                models.QuerySet(Plan).filter(is_default=True).exclude(pk=self.pk).update(is_default=False)
            super().save(*args, **kwargs)

    SHOWN: ClassVar[frozenset[str]] = frozenset(CHAT_LIMITS)

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        """The pages of all shops that have it: their records carry the chat's budgets."""
        from tenants.models.landings import pages_of_tenants
        from tenants.models.shops import Tenant

        if fields is not None and cls.SHOWN & set(fields):
            ids = Tenant.objects.filter(plan__in=[row.pk for row in rows]).order_by("pk").values_list("pk", flat=True)
            yield from pages_of_tenants(ids)

    @classmethod
    def default(cls) -> "Plan":
        """The plan of new shops, made where there is none."""
        found: Plan | None = cls.objects.filter(is_default=True).first()
        if found is None:
            found, _ = cls.objects.get_or_create(name=STANDARD["name"], defaults={**STANDARD, "is_default": True})
            if not found.is_default:
                found.is_default = True
                found.save()
        return found

    def cap(self, name: str, wanted: int) -> int:
        """What a shop's own budget (`daily_messages` or `daily_tokens`) comes to under this plan."""
        most: int | None = getattr(self, name)
        return wanted if most is None else min(wanted, most)
