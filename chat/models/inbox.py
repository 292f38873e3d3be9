"""Questions that the chat could not answer, grouped by meaning."""

from typing import Any, ClassVar

from django.db import models
from uuid_utils.compat import uuid7

from tenants.audit.entries import AuditedQuerySet


class QuestionGroup(models.Model):
    """Unanswered questions that mean the same. `vector` is the mean of `size` questions' unit vectors by
    `embedding_model`, as 4-byte floats; `text` is how it was asked first."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ANSWERED = "answered", "Answered"
        DISMISSED = "dismissed", "Dismissed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="question_groups", verbose_name="shop")
    text = models.TextField("question", editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    vector = models.BinaryField(editable=False)
    size = models.PositiveIntegerField(default=1, editable=False)
    embedding_model = models.CharField(max_length=100, editable=False)
    source = models.ForeignKey(
        "chat.KnowledgeSource", models.SET_NULL, related_name="answers", null=True, blank=True, verbose_name="answer"
    )
    answered_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = AuditedQuerySet.as_manager()

    class Meta:
        verbose_name = "unanswered question"
        indexes = [models.Index(fields=["tenant", "state"], name="inbox_of_tenant")]

    def __str__(self) -> str:
        return self.text[:120]
