"""What a shop's chat and search know beside its products."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models, transaction
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import TURSO, Document
from controlplane.publishing.models import OwnedDocument
from tenants.flags import checking
from tenants.flags.checking import Text
from tenants.plans import Counted
from tenants.validators import validate_link

MAX_TEXT = 200_000
"""Characters of one source: about a hundred pages, which the local model embeds in half a minute."""

SHOWN = frozenset({"tenant", "title", "body", "url", "status"})
"""The fields that a source's chunks are made of; the others are book-keeping."""


class KnowledgeSource(Counted):
    """A question with its answer, or a text: typed, read from a file or from a page of the merchant's site.

    `body` is Markdown. What is still to be read, or could not be read, has no text yet or its last good one.
    """

    class Kind(models.TextChoices):
        FAQ = "faq", "Question and answer"
        TEXT = "text", "Text"
        FILE = "file", "File"
        PAGE = "page", "Web page"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"

    class Reading(models.TextChoices):
        """How far a file or a page has been read."""

        DONE = "done", "Read"
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Reading…"
        FAILED = "failed", "Failed"

    class Refresh(models.TextChoices):
        NEVER = "never", "Only by hand"
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Every week"
        MONTHLY = "monthly", "Every month"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="knowledge", verbose_name="shop")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.FAQ)
    title = models.CharField("question or title", max_length=200)
    body = models.TextField("answer or text", max_length=MAX_TEXT, help_text="Markdown headings part a long text.")
    url = models.CharField(
        "link", max_length=500, blank=True, validators=[validate_link], help_text="Where shoppers can read more."
    )
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    file_name = models.CharField("file", max_length=200, blank=True, editable=False)
    reading = models.CharField(max_length=8, choices=Reading, default=Reading.DONE, editable=False)
    error = models.CharField(max_length=300, blank=True, editable=False)
    read_at = models.DateTimeField("last read", null=True, editable=False)
    refresh = models.CharField("read again", max_length=8, choices=Refresh, default=Refresh.WEEKLY)
    due_at = models.DateTimeField(null=True, editable=False)
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=100, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    counted_as = "knowledge"

    class Meta:
        verbose_name = "knowledge entry"
        verbose_name_plural = "knowledge"
        ordering = ["title", "id"]
        indexes = [
            models.Index(fields=["tenant", "status"], name="knowledge_of_tenant"),
            models.Index(fields=["due_at"], condition=~models.Q(due_at=None), name="knowledge_due"),
        ]

    def __str__(self) -> str:
        return self.title

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        if fields is not None and not SHOWN & set(fields):
            return []
        return [(row.tenant_id, Document(TURSO, f"knowledge:{row.pk}")) for row in rows]

    def clean(self) -> None:
        if self.status == self.Status.ACTIVE and self.tenant_id:
            checking.refuse(self.tenant, self.texts)

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            if self.status == self.Status.ACTIVE:
                checking.flag(self.tenant_id, self.texts)

    @property
    def texts(self) -> list[Text]:
        """What moderation's rules read."""
        about = {"subject": "knowledge", "subject_id": str(self.pk), "where": f"Knowledge “{self.title}”"}
        return [
            Text(field="Title", value=self.title, **about),
            Text(field="Text", value=self.body, **about),
            Text(field="Link", value=self.url, **about),
        ]

    def next_reading(self, now: datetime) -> datetime | None:
        """When the page is due again; None for what is read by hand only."""
        days = {self.Refresh.DAILY: 1, self.Refresh.WEEKLY: 7, self.Refresh.MONTHLY: 30}.get(self.Refresh(self.refresh))
        return now + timedelta(days=days) if self.kind == self.Kind.PAGE and days else None


class Upload(models.Model):
    """A file's bytes between the merchant's request and the worker that reads them; then they are deleted."""

    source = models.OneToOneField(KnowledgeSource, models.CASCADE, related_name="upload")
    data = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.source.file_name
