"""What shoppers asked and what they were told, as the edge's telemetry says."""

from django.db import models


class Conversation(models.Model):
    """Turns of one shopper in one shop. `key` is what the shopper's browser calls it."""

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="conversations", verbose_name="shop")
    key = models.CharField(max_length=64, editable=False)
    started_at = models.DateTimeField("started")
    last_at = models.DateTimeField("last question")

    class Meta:
        ordering = ["-last_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="one_conversation_per_key")]
        indexes = [models.Index(fields=["tenant", "-last_at"], name="newest_conversations")]

    def __str__(self) -> str:
        return f"Conversation of {self.started_at:%d %B %Y, %H:%M}"


class Turn(models.Model):
    """One question and its answer. `id` is the telemetry row's, so that collecting it twice makes one turn."""

    class Reason(models.TextChoices):
        """Why a question had no answer."""

        NONE = "", "Answered"
        NO_PASSAGE = "no_passage", "Nothing fitting was found"
        REFUSED = "refused", "The topic is refused"
        OVER_BUDGET = "over_budget", "The day's budget was used up"
        MODEL_DOWN = "model_down", "The model could not be reached"
        SEARCH_ONLY = "search_only", "Search results were shown"

    id = models.UUIDField(primary_key=True)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="turns")
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="turns", verbose_name="shop")
    group = models.ForeignKey("chat.QuestionGroup", models.SET_NULL, related_name="turns", null=True)
    turn_no = models.PositiveIntegerField()
    at = models.DateTimeField()
    question = models.TextField()
    answer = models.TextField(blank=True)
    answered = models.BooleanField()
    reason = models.CharField(max_length=16, choices=Reason, blank=True)
    sources = models.JSONField(default=list)
    rating = models.SmallIntegerField(null=True)
    model = models.CharField(max_length=100, blank=True)
    embedding_model = models.CharField(max_length=100, blank=True)
    lang = models.CharField(max_length=16, blank=True)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    first_event_ms = models.PositiveIntegerField(default=0)
    total_ms = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["tenant", "at"], name="turns_of_tenant"),
            models.Index(
                fields=["tenant"], condition=models.Q(answered=False, reason="no_passage", group=None),
                name="turns_to_group",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.question[:80]


class Usage(models.Model):
    """What a shop's chat took on one UTC day."""

    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="chat_usage")
    day = models.DateField()
    messages = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "day"], name="one_usage_per_day")]

    def __str__(self) -> str:
        return f"{self.day}: {self.messages} messages, {self.tokens} tokens"
