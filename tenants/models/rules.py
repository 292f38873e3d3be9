"""Words and hosts that shops may not use, as platform staff keep them."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from uuid_utils.compat import uuid7

from storefront.documents import normalise_host
from tenants import validators


class ContentRule(models.Model):
    """A blocked word (or a few in a row), or a blocked host with all that is below it."""

    class Kind(models.TextChoices):
        WORD = "word", "Word or phrase"
        HOST = "host", "Link to a host"

    class Severity(models.TextChoices):
        FLAG = "flag", "Publish, and flag it"
        REFUSE = "refuse", "Refuse to publish"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.WORD)
    pattern = models.CharField(
        "word or host", max_length=200,
        help_text="Whole words, in any case and spelling: “viagra” also finds V1agra. A host such as bad.example also "
        "means every host below it.",
    )  # fmt: skip
    language = models.CharField(
        max_length=3, blank=True, validators=[validators.validate_locale],
        help_text="Such as de: only in shops of this language. Left empty: everywhere.",
    )  # fmt: skip
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.FLAG)
    note = models.CharField("why", max_length=300, blank=True, help_text="For moderators only.")
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "blocked word or link"
        verbose_name_plural = "blocked words and links"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "pattern", "language"], name="one_rule_per_pattern",
                violation_error_message="This is blocked already.",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.pattern

    def save(self, *args: Any, **kwargs: Any) -> None:
        from tenants.flags.rules import forget

        self.updated_at = timezone.now()
        super().save(*args, **kwargs)
        forget()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        from tenants.flags.rules import forget

        deleted = super().delete(*args, **kwargs)
        forget()
        return deleted

    def clean(self) -> None:
        from tenants.flags.words import phrase_of

        if self.kind == self.Kind.HOST:
            named = re.sub(r"^[a-z]+://", "", self.pattern.strip().lower()).split("/")[0].removeprefix("*.")
            try:
                self.pattern = normalise_host(named)
            except ValueError as error:
                raise ValidationError({"pattern": str(error)}) from None
        elif not phrase_of(self.pattern):
            raise ValidationError({"pattern": "Type at least one word."})
        self.pattern = " ".join(self.pattern.split())
