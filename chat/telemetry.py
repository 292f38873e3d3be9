"""Collects what the edge wrote about its conversations, so that the edge never depends on this process.

Rows are copied first and deleted afterwards; a row that is copied twice stays one (tables: publishing/telemetry.py).
What a shopper typed is data of any shape and length: it is cut and cleaned, never trusted.
"""

import json
import logging
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chat.models import Conversation, Turn, Usage
from controlplane.adapters.turso import Row, Statement, TursoDatabase, Value
from controlplane.publishing import cells
from controlplane.publishing.telemetry import delete_rows, text_of, time_of
from tenants.models import Tenant

logger = logging.getLogger(__name__)

ROWS = 500
LONGEST_QUESTION, LONGEST_ANSWER = 2_000, 20_000
MOST_SOURCES = 50
KEPT_USAGE = timedelta(days=7)
"""The edge counts its budgets in `usage`: a day's row stays there until nobody can count on it."""
LONELY_RATING = timedelta(days=1)
"""A rating may arrive before its turn; one whose turn never came, or was deleted, goes after this."""
LARGEST = 2**31 - 1
MOST_ROUNDS = 100

_RATINGS = """
    SELECT turn_id, tenant_id, value, at FROM rating WHERE (at, turn_id) > (?, ?) ORDER BY at, turn_id LIMIT ?
"""


def collect() -> int:
    """Returns how many turns were new. Raises AdapterError; what was copied by then stays copied."""
    database = cells.telemetry()
    new = 0
    while rows := list(database.execute("SELECT * FROM turn ORDER BY at, id LIMIT ?", [ROWS])):
        new += keep_turns(rows)
        delete_rows(database, "turn", "id", [row["id"] for row in rows])
    _collect_ratings(database)
    _collect_usage(database)
    return new


def keep_turns(rows: Sequence[Row]) -> int:
    """Stores the turns of shops that exist. Returns how many were new."""
    turns = [turn for row in rows if (turn := _read(row.asdict())) is not None]
    if len(turns) < len(rows):
        logger.warning("%s turns could not be read and are dropped", len(rows) - len(turns))
    with transaction.atomic():
        known = _existing({turn.tenant_id for turn, _ in turns})
        stored = set(Turn.objects.filter(pk__in=[turn.pk for turn, _ in turns]).values_list("pk", flat=True))
        turns = [one for one in turns if one[0].tenant_id in known and one[0].pk not in stored]
        conversations = _conversations(turns)
        new = [turn for turn, _ in turns]
        for one, key in turns:
            one.conversation = conversations[one.tenant_id, key]
        Turn.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _existing(ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    return set(Tenant.objects.filter(pk__in=set(ids)).values_list("pk", flat=True))


def _conversations(turns: Sequence[tuple[Turn, str]]) -> dict[tuple[uuid.UUID, str], Conversation]:
    """The conversations of these turns, made where missing, each with its last question's time."""
    times: dict[tuple[uuid.UUID, str], list[datetime]] = {}
    for turn, key in turns:
        times.setdefault((turn.tenant_id, key), []).append(turn.at)
    found: dict[tuple[uuid.UUID, str], Conversation] = {}
    for (tenant_id, key), at in times.items():
        conversation, _ = Conversation.objects.get_or_create(
            tenant_id=tenant_id, key=key, defaults={"started_at": min(at), "last_at": max(at)}
        )
        conversation.started_at = min(conversation.started_at, *at)
        conversation.last_at = max(conversation.last_at, *at)
        conversation.save(update_fields=["started_at", "last_at"])
        found[tenant_id, key] = conversation
    return found


def _read(row: Mapping[str, Any]) -> tuple[Turn, str] | None:
    """The turn and its conversation's key; None for a row that no turn can be made of."""
    try:
        reason = str(row["reason"] or "")
        turn = Turn(
            id=uuid.UUID(str(row["id"])),
            tenant_id=uuid.UUID(str(row["tenant_id"])),
            turn_no=_count(row["turn_no"]),
            at=time_of(row["at"], timezone.now()),
            question=text_of(row["question"], LONGEST_QUESTION),
            answer=text_of(row["answer"], LONGEST_ANSWER),
            answered=bool(row["answered"]),
            reason=reason if reason in Turn.Reason.values else "",
            sources=_sources(row["sources"]),
            model=text_of(row["model"], 100),
            embedding_model=text_of(row["embedding_model"], 100),
            lang=text_of(row["lang"], 16),
            **{name: _count(row[name]) for name in ("tokens_in", "tokens_out", "first_event_ms", "total_ms")},
        )
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    return (turn, text_of(row["conversation_id"], 64) or str(turn.pk)) if turn.question else None


def _count(value: Any) -> int:
    return max(0, min(int(value or 0), LARGEST))


def _sources(value: Any) -> list[dict[str, Any]]:
    found = json.loads(value or "[]")
    rows = found if isinstance(found, list) else []
    return [
        {"kind": text_of(row.get("kind"), 16), "id": text_of(row.get("id"), 64), "score": float(row.get("score") or 0)}
        for row in rows[:MOST_SOURCES]
        if isinstance(row, dict)
    ]


def _collect_ratings(database: TursoDatabase) -> None:
    """Page by page: ratings of turns that never were, which anybody can send, must not hold up the others."""
    oldest = int((timezone.now() - LONELY_RATING).timestamp() * 1000)
    after: tuple[Value, Value] = (-1, "")
    for _ in range(MOST_ROUNDS):
        rows = list(database.execute(_RATINGS, [*after, ROWS]))
        done = [
            row for row in rows if _rate(*row.astuple()[:3]) or not isinstance(row["at"], int) or row["at"] < oldest
        ]
        if done:
            # Not if it has changed meanwhile: then it is collected with the next round.
            sql = "DELETE FROM rating WHERE turn_id IS ? AND value IS ? AND at IS ?"
            database.batch([Statement(sql, [row["turn_id"], row["value"], row["at"]]) for row in done])
        if len(rows) < ROWS:
            return
        after = (rows[-1]["at"], rows[-1]["turn_id"])


def _rate(turn_id: Any, tenant_id: Any, value: Any) -> bool:
    try:
        turns = Turn.objects.filter(pk=uuid.UUID(str(turn_id)), tenant=uuid.UUID(str(tenant_id)))
    except ValueError:
        return False
    return bool(turns.update(rating=1 if value == 1 else -1)) if value in (1, -1) else False


def _collect_usage(database: TursoDatabase) -> None:
    rows = list(database.execute("SELECT tenant_id, day, messages, tokens FROM usage"))
    found: dict[tuple[uuid.UUID, date], tuple[int, int]] = {}
    for tenant_id, day, messages, tokens in rows:
        try:
            key = (uuid.UUID(str(tenant_id)), date.fromisoformat(str(day)))
        except ValueError:
            continue
        found[key] = (_count(messages), _count(tokens))
    known = _existing({tenant_id for tenant_id, _ in found})
    Usage.objects.bulk_create(
        [
            Usage(tenant_id=tenant_id, day=day, messages=messages, tokens=tokens)
            for (tenant_id, day), (messages, tokens) in found.items()
            if tenant_id in known
        ],
        update_conflicts=True,
        unique_fields=["tenant", "day"],
        update_fields=["messages", "tokens"],
    )
    oldest = (timezone.now() - KEPT_USAGE).date().isoformat()
    database.execute("DELETE FROM usage WHERE day < ?", [oldest])
