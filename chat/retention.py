"""Forgets conversations: after the time that each shop chose, or when its merchant says so."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat.models import ChatProfile, Conversation, QuestionGroup, Turn, Usage

DEFAULT_DAYS = 90
USAGE_DAYS = 400
A_STEP = 2_000


def forget() -> int:
    """Deletes every turn that is older than its shop keeps them, and what is empty then. Returns how many turns."""
    now = timezone.now()
    days = dict(ChatProfile.objects.exclude(retention_days=DEFAULT_DAYS).values_list("tenant_id", "retention_days"))
    others = Turn.objects.exclude(tenant__in=list(days)).filter(at__lt=now - timedelta(days=DEFAULT_DAYS))
    count = _in_steps(others)
    for tenant_id, kept in days.items():
        count += _in_steps(Turn.objects.filter(tenant=tenant_id, at__lt=now - timedelta(days=kept)))
    clear_empty()
    Usage.objects.filter(day__lt=(now - timedelta(days=USAGE_DAYS)).date()).delete()
    return count


def delete_conversations(conversations: QuerySet[Conversation]) -> int:
    """These conversations with all that came of them: ratings, and questions in the inbox. Returns how many."""
    with transaction.atomic():
        ids = list(conversations.order_by().values_list("pk", flat=True))
        Conversation.objects.filter(pk__in=ids).delete()
        clear_empty()
    return len(ids)


def clear_empty() -> None:
    """Conversations without turns, and groups without questions: a group shows what a shopper typed."""
    Conversation.objects.filter(turns=None).delete()
    QuestionGroup.objects.filter(turns=None).delete()


def _in_steps(turns: QuerySet[Turn]) -> int:
    count = 0
    while ids := list(turns.order_by("at").values_list("pk", flat=True)[:A_STEP]):
        count += len(ids)
        Turn.objects.filter(pk__in=ids).delete()
    return count
