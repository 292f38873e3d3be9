"""How a shop's chat speaks, what it may cost, how long its conversations are kept."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from controlplane.publishing.models import OwnedDocument, Publishable
from storefront.documents import ChatSettings
from tenants.models import Tenant, pages_of_tenants
from tenants.models.plans import CHAT_LIMITS
from tenants.validators import validate_link

MAX_SUGGESTIONS, MAX_REFUSED = 6, 12
MAX_LINE = 120
SHOWN = frozenset(ChatSettings.__dataclass_fields__) | {"tenant"}


def validate_lines(value: Any) -> None:
    if not isinstance(value, list) or not all(isinstance(line, str) and line.strip() for line in value):
        raise ValidationError("Write one entry a line.")
    if any(len(line) > MAX_LINE for line in value):
        raise ValidationError(f"An entry has at most {MAX_LINE} characters.")


def validate_suggestions(value: Any) -> None:
    validate_lines(value)
    if len(value) > MAX_SUGGESTIONS:
        raise ValidationError(f"At most {MAX_SUGGESTIONS} questions: they have to fit on a phone.")


def validate_refused(value: Any) -> None:
    validate_lines(value)
    if len(value) > MAX_REFUSED:
        raise ValidationError(f"At most {MAX_REFUSED} topics.")


class ChatProfile(Publishable):
    """The chat of one shop. A shop without a profile has no chat."""

    class Tone(models.TextChoices):
        FRIENDLY = "friendly", "Friendly"
        FORMAL = "formal", "Formal"
        BRIEF = "brief", "Brief"

    tenant = models.OneToOneField(
        "tenants.Tenant", models.CASCADE, related_name="chat", verbose_name="shop", primary_key=True
    )
    enabled = models.BooleanField("chat is on", default=False, help_text="Shows the chat on every page of the shop.")
    greeting = models.CharField(max_length=300, blank=True, help_text="What the chat says before the first question.")
    tone = models.CharField(max_length=10, choices=Tone, default=Tone.FRIENDLY)
    suggested_questions = models.JSONField(
        default=list, blank=True, validators=[validate_suggestions],
        help_text=f"One a line, at most {MAX_SUGGESTIONS}: shoppers can ask them with one tap.",
    )  # fmt: skip
    refused_topics = models.JSONField(
        default=list, blank=True, validators=[validate_refused],
        help_text=f"One a line, at most {MAX_REFUSED}: the chat politely declines to talk about them.",
    )  # fmt: skip
    contact_email = models.EmailField("email", blank=True)
    contact_phone = models.CharField("phone", max_length=40, blank=True)
    contact_url = models.CharField("contact page", max_length=300, blank=True, validators=[validate_link])
    model = models.CharField(max_length=100, blank=True)
    daily_messages = models.PositiveIntegerField(
        "messages a day", default=500, validators=[MaxValueValidator(1_000_000)]
    )
    daily_tokens = models.PositiveIntegerField(
        "tokens a day", default=500_000, validators=[MaxValueValidator(1_000_000_000)],
        help_text="A question with its answer takes about 1,500. Over budget the chat shows search results.",
    )  # fmt: skip
    retention_days = models.PositiveSmallIntegerField(
        "keep conversations for", default=90, validators=[MinValueValidator(1), MaxValueValidator(730)],
        help_text="Days, 1 to 730. Older conversations are deleted, ratings included.",
    )  # fmt: skip
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "chat settings"
        verbose_name_plural = "chat settings"

    def __str__(self) -> str:
        return f"Chat of {self.tenant}"

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        if fields is not None and not SHOWN & set(fields):
            return []
        return pages_of_tenants(row.tenant_id for row in rows if row.enabled)  # one that is off shows nowhere

    @classmethod
    def ensure(cls, tenants: "models.QuerySet[Tenant]") -> None:
        """Gives each of these shops its profile, off."""
        missing = tenants.filter(chat=None).order_by().values_list("pk", flat=True)
        cls.objects.bulk_create([cls(tenant_id=pk) for pk in missing], ignore_conflicts=True, batch_size=500)

    @property
    def budgets(self) -> dict[str, int]:
        """The budgets that count: the merchant's own, at most those of the shop's plan."""
        return {name: self.tenant.limits.cap(name, getattr(self, name)) for name in CHAT_LIMITS}

    @property
    def settings(self) -> ChatSettings:
        """What the shop's records say; a chat that is off says nothing but that."""
        if not self.enabled:
            return ChatSettings()
        return ChatSettings(
            enabled=True, greeting=self.greeting, tone=self.tone,
            suggested_questions=tuple(self.suggested_questions), refused_topics=tuple(self.refused_topics),
            contact_email=self.contact_email, contact_phone=self.contact_phone, contact_url=self.contact_url,
            model=self.model, **self.budgets,
        )  # fmt: skip
