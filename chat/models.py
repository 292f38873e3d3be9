"""What a shop's chat and search know beside its products."""

from collections.abc import Collection, Iterable, Sequence
from typing import Self

from django.db import models
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import TURSO, Document
from controlplane.publishing.models import OwnedDocument, Publishable
from tenants.validators import validate_link


class KnowledgeSource(Publishable):
    """A question with its answer, or a text, in the merchant's own words."""

    class Kind(models.TextChoices):
        FAQ = "faq", "Question and answer"
        TEXT = "text", "Text"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="knowledge", verbose_name="shop")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.FAQ)
    title = models.CharField("question or title", max_length=200)
    body = models.TextField("answer or text", max_length=50_000)
    url = models.CharField(
        "link", max_length=500, blank=True, validators=[validate_link], help_text="Where shoppers can read more."
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "knowledge entry"
        verbose_name_plural = "knowledge"
        ordering = ["title", "id"]
        indexes = [models.Index(fields=["tenant", "status"], name="knowledge_of_tenant")]

    def __str__(self) -> str:
        return self.title

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        return [(row.tenant_id, Document(TURSO, f"knowledge:{row.pk}")) for row in rows]
