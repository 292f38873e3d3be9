"""Groups what the chat could not answer by meaning: each question joins the nearest group, or begins one."""

import math
import operator
import struct
import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from chat.models import EmbeddingState, QuestionGroup, Turn
from controlplane.publishing import cells
from controlplane.publishing.models import take_turns

A_ROUND = 300
"""Questions of one shop that one task groups; a flood waits for the next minutes."""

ALIKE = {"@local/all-minilm-l6-v2": 0.6}
"""By embedding model, the cosine from which two questions mean the same: tests/chat/test_inbox.py holds the pairs."""
ALIKE_BY_DEFAULT = 0.75

STALE_ANSWER = timedelta(minutes=5)
"""An answer needs to be published: only a question asked later than this shows that it does not help."""

Vector = Sequence[float]


def group_new_questions() -> int:
    """Puts every unanswered question that has no group into one. Returns how many. Raises AdapterError."""
    waiting = Turn.objects.filter(answered=False, reason=Turn.Reason.NO_PASSAGE, group=None)
    count = 0
    for tenant_id in waiting.order_by().values_list("tenant", flat=True).distinct():
        turns = list(waiting.filter(tenant=tenant_id).order_by("at", "pk")[:A_ROUND])
        count += _group(tenant_id, turns)
    return count


def _group(tenant_id: uuid.UUID, turns: Sequence[Turn]) -> int:
    model = EmbeddingState.answering(tenant_id)
    _renew(tenant_id, model)
    vectors = [_unit(vector) for vector in cells.ai().embed([turn.question for turn in turns], model=model)]
    with transaction.atomic():
        take_turns([tenant_id])  # two tasks would begin the same group twice
        free = Turn.objects.filter(pk__in=[turn.pk for turn in turns], group=None)
        ungrouped = set(free.values_list("pk", flat=True))
        groups = list(QuestionGroup.objects.filter(tenant=tenant_id, embedding_model=model))
        for turn, vector in zip(turns, vectors, strict=True):
            if turn.pk in ungrouped:
                _place(turn, vector, groups, model)
    return len(ungrouped)


def _place(turn: Turn, vector: Vector, groups: list[QuestionGroup], model: str) -> None:
    nearest = max(groups, key=lambda group: cosine(unpacked(group), vector), default=None)
    if nearest is None or cosine(unpacked(nearest), vector) < ALIKE.get(model, ALIKE_BY_DEFAULT):
        nearest = QuestionGroup(tenant_id=turn.tenant_id, text=turn.question, embedding_model=model)
        nearest.vector = packed(vector)
        groups.append(nearest)
    else:
        nearest.vector = packed(_unit(_mean(unpacked(nearest), nearest.size, vector)))
        nearest.size += 1
        _reopen(nearest, turn)
    nearest.save()
    Turn.objects.filter(pk=turn.pk).update(group=nearest)


def _reopen(group: QuestionGroup, turn: Turn) -> None:
    """An answer that did not help brings the question back; a dismissed one stays away."""
    answered = group.state == QuestionGroup.State.ANSWERED and group.answered_at is not None
    if answered and group.answered_at and turn.at > group.answered_at + STALE_ANSWER:
        group.state = QuestionGroup.State.OPEN


def _renew(tenant_id: uuid.UUID, model: str) -> None:
    """Groups of a model that the shop has left are compared by the new one: their first question stands for them."""
    old = list(QuestionGroup.objects.filter(tenant=tenant_id).exclude(embedding_model=model))
    vectors = cells.ai().embed([group.text for group in old], model=model) if old else []
    for group, vector in zip(old, vectors, strict=True):
        group.vector, group.embedding_model, group.size = packed(_unit(vector)), model, 1
    QuestionGroup.objects.bulk_update(old, ["vector", "embedding_model", "size"], batch_size=200)


def with_counts(groups: "QuerySet[QuestionGroup]") -> "QuerySet[QuestionGroup]":
    """Adds `asked`, `first_at` and `last_at` from the questions that are still kept."""
    return groups.annotate(asked=Count("turns"), first_at=Min("turns__at"), last_at=Max("turns__at"))


def past_questions(group: QuestionGroup, most: int = 20) -> list[str]:
    """How it was asked, without repetitions, newest first."""
    texts = group.turns.order_by("-at").values_list("question", flat=True)[:200]
    return list({" ".join(text.split()).casefold(): text for text in reversed(texts)}.values())[::-1][:most]


def answered(group: QuestionGroup, source: object) -> None:
    group.state, group.answered_at = QuestionGroup.State.ANSWERED, timezone.now()
    group.source_id = getattr(source, "pk", None)
    group.save(update_fields=["state", "answered_at", "source"])


# --- vectors ---


def cosine(one: Vector, other: Vector) -> float:
    """Of unit vectors."""
    return math.fsum(map(operator.mul, one, other))


def packed(vector: Vector) -> bytes:
    return struct.pack(f"<{len(vector)}f", *vector)


def unpacked(group: QuestionGroup) -> Vector:
    data = bytes(group.vector)
    return struct.unpack(f"<{len(data) // 4}f", data)


def _unit(vector: Iterable[float]) -> list[float]:
    numbers = list(vector)
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]


def _mean(centre: Vector, size: int, vector: Vector) -> list[float]:
    return [(a * size + b) / (size + 1) for a, b in zip(centre, vector, strict=True)]
