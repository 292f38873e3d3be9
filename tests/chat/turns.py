"""Turns as the edge writes them, and as they are once collected."""

import itertools
import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from uuid_utils.compat import uuid7

from chat.models import Conversation, Turn
from controlplane.adapters.turso import Statement, TursoDatabase
from tenants.models import Tenant

_number = itertools.count()


def write(database: TursoDatabase, tenant: Tenant | str, question: str = "Do you?", **more: Any) -> str:
    """One row of `turn`. Returns its id."""
    row: dict[str, Any] = {
        "id": str(uuid7()), "tenant_id": str(getattr(tenant, "pk", tenant)), "conversation_id": "c1",
        "turn_no": 1, "at": ms(timezone.now()) + next(_number), "question": question, "answer": "Yes.", "answered": 1,
        "reason": "", "sources": json.dumps([{"kind": "knowledge", "id": "k", "score": 0.7}]), "model": "m",
        "embedding_model": "e", "lang": "en", "tokens_in": 10, "tokens_out": 5, "first_event_ms": 50, "total_ms": 90,
        **more,
    }  # fmt: skip
    columns, values = ", ".join(row), ", ".join("?" * len(row))
    database.execute(Statement(f"INSERT INTO turn ({columns}) VALUES ({values})", list(row.values())))
    return str(row["id"])


def rate(database: TursoDatabase, turn_id: str, tenant: Tenant, value: int, at: datetime | None = None) -> None:
    database.execute(
        "INSERT INTO rating VALUES (?, ?, ?, ?)"
        " ON CONFLICT (turn_id) DO UPDATE SET value = excluded.value, at = excluded.at",
        [turn_id, str(tenant.pk), value, ms(at or timezone.now())],
    )


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def asked(tenant: Tenant, *questions: str, days_ago: float = 0, key: str = "", **more: Any) -> list[Turn]:
    """Collected turns of one conversation, by default without an answer."""
    at = timezone.now() - timedelta(days=days_ago)
    conversation, _ = Conversation.objects.get_or_create(
        tenant=tenant, key=key or str(uuid.uuid4()), defaults={"started_at": at, "last_at": at}
    )
    values = {"answered": False, "reason": "no_passage", **more}
    return [
        Turn.objects.create(
            id=uuid7(), conversation=conversation, tenant=tenant, turn_no=n, at=at + timedelta(seconds=n),
            question=text, **values,
        )
        for n, text in enumerate(questions, 1)
    ]  # fmt: skip
