"""What is remembered of a chat: turns, ratings and the day's usage, in a libSQL database of their own.

The tables are the control plane's (`publishing/telemetry.py`). The Worker's token opens this database and no other.
A shopper never waits for a write, and gets an answer while the database is away.
"""

import dataclasses
import json
import logging
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from storefront.bindings import BindingError, Env, variable
from storefront.retrieval import PATH

USAGE_TIMEOUT = 1.0
"""Seconds that a turn waits to hear what the day has cost so far; then it goes on without."""

_TURN = (
    "id", "tenant_id", "conversation_id", "turn_no", "at", "question", "answer", "answered", "reason", "sources",
    "model", "embedding_model", "lang", "tokens_in", "tokens_out", "first_event_ms", "total_ms",
)  # fmt: skip
_PUT_TURN = f"INSERT INTO turn ({', '.join(_TURN)}) VALUES ({', '.join('?' * len(_TURN))}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
_ADD_USAGE = (
    "INSERT INTO usage (tenant_id, day, messages, tokens) VALUES (?, ?, 1, ?) ON CONFLICT (tenant_id, day)"
    " DO UPDATE SET messages = messages + 1, tokens = tokens + excluded.tokens"
)
_GET_USAGE = "SELECT messages, tokens FROM usage WHERE tenant_id = ? AND day = ?"
# Turns are collected and leave this database, so a rating can't be held against its turn here: the collector does that.
_PUT_RATING = (
    "INSERT INTO rating (turn_id, tenant_id, value, at) VALUES (?, ?, ?, ?) ON CONFLICT (turn_id)"
    " DO UPDATE SET value = excluded.value, at = excluded.at WHERE tenant_id = excluded.tenant_id"
)

_REPORT = ("id", "tenant_id", "at", "page", "reason", "text", "email", "lang", "reporter")
# Nobody can fill the database by reporting: a shop and the platform have room for so many that nobody collected yet.
_PUT_REPORT = (
    f"INSERT INTO report ({', '.join(_REPORT)}) SELECT {', '.join('?' * len(_REPORT))}"  # noqa: S608
    " WHERE (SELECT count(*) FROM report WHERE tenant_id = ?) < ? AND (SELECT count(*) FROM report) < ?"
    " ON CONFLICT (id) DO NOTHING RETURNING id"
)
MOST_REPORTS, MOST_REPORTS_OF_SHOP = 20_000, 500
"""Reports that wait to be collected, which happens every minute."""

log = logging.getLogger("storefront")


@dataclasses.dataclass(kw_only=True)
class Turn:
    """One question and its answer. `at` and the `_ms` are milliseconds; `reason` is "", "no_passage", "refused",
    "over_budget", "model_down" or "search_only"; `sources` is a list of {kind, id, score}."""

    id: str
    tenant_id: str
    conversation_id: str
    turn_no: int
    at: int
    question: str
    answer: str = ""
    answered: bool = False
    reason: str = ""
    sources: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    model: str = ""
    embedding_model: str = ""
    lang: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    first_event_ms: int = 0
    total_ms: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class DayUsage:
    messages: int = 0
    tokens: int = 0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def uuid7(at: int) -> str:
    """A time-ordered UUID (RFC 9562, version 7) of the millisecond `at`; the standard library has it from 3.14 on."""
    random = int.from_bytes(os.urandom(10))
    bits = (at & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 68 & 0xFFF) << 64 | 2 << 62 | random & (1 << 62) - 1
    return str(uuid.UUID(int=bits))


def day_of(at: int) -> str:
    """The UTC day that a budget counts by."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d}"


async def usage_today(env: Env, tenant_id: str, at: int) -> DayUsage:
    """What this shop's chat has cost today; nothing where the database is away or slow, so that the chat goes on."""
    try:
        [rows] = await _execute(env, [(_GET_USAGE, [tenant_id, day_of(at)])], timeout=USAGE_TIMEOUT)
        messages, tokens = (int(cell["value"]) for cell in rows[0]) if rows else (0, 0)
    except (BindingError, ValueError, LookupError, TypeError) as error:
        log.warning("the day's usage is unknown: %s", error)
        return DayUsage()
    return DayUsage(messages=messages, tokens=tokens)


async def record(env: Env, turn: Turn) -> None:
    """Writes a turn and counts it, both or neither. Given to `env.DEFER`; an outage is logged."""
    values = dataclasses.asdict(turn)
    values |= {"answered": int(turn.answered), "sources": json.dumps(turn.sources, ensure_ascii=False)}
    tokens = turn.tokens_in + turn.tokens_out
    writes = [(_PUT_TURN, [values[name] for name in _TURN]), (_ADD_USAGE, [turn.tenant_id, day_of(turn.at), tokens])]
    try:
        await _execute(env, writes)
    except BindingError as error:
        log.warning("a chat turn is not recorded: %s", error)


async def rate(env: Env, tenant_id: str, turn_id: str, value: int) -> None:
    """Keeps a shopper's thumb, 1 or -1, for a turn; the last one counts."""
    try:
        await _execute(env, [(_PUT_RATING, [turn_id, tenant_id, value, now_ms()])])
    except BindingError as error:
        log.warning("a rating is not recorded: %s", error)


async def report(env: Env, row: Mapping[str, Any]) -> bool:
    """Keeps a shopper's report (reports.py); False, with a line in the log, where it can't be kept now."""
    values = [row[name] for name in _REPORT]
    try:
        [kept] = await _execute(env, [(_PUT_REPORT, [*values, row["tenant_id"], MOST_REPORTS_OF_SHOP, MOST_REPORTS])])
    except BindingError as error:
        log.warning("a report is not kept: %s", error)
        return False
    if not kept:
        log.warning("a report is not kept: too many wait to be collected")
    return bool(kept)


async def _execute(
    env: Env,
    statements: Sequence[tuple[str, Sequence[Any]]],
    timeout: float = 5.0,  # noqa: ASYNC109 - the binding keeps it
) -> list[list[Any]]:
    """The rows of each statement, all in one transaction. Raises BindingError."""
    base, token = variable(env, "TELEMETRY_URL"), variable(env, "TELEMETRY_WRITE_TOKEN")
    if not base:
        raise BindingError("no telemetry database is configured")
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    url = base.replace("libsql://", "https://", 1).rstrip("/") + PATH
    body = json.dumps({"requests": [{"type": "batch", "batch": {"steps": _steps(statements)}}, {"type": "close"}]})
    reply = await env.FETCH("POST", url, headers=headers, body=body.encode(), timeout=timeout)
    if reply.status != 200:
        raise BindingError(f"the telemetry database answered {reply.status}")
    return _rows(reply.json(), len(statements))


def _steps(statements: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, Any]]:
    """BEGIN, each statement if the one before went well, COMMIT, and ROLLBACK if that did not."""
    sql = ["BEGIN IMMEDIATE", *(text for text, _ in statements), "COMMIT"]
    args: list[Sequence[Any]] = [[], *(values for _, values in statements), []]
    steps: list[dict[str, Any]] = [
        {"stmt": {"sql": text, "args": [_value(value) for value in values]}}
        for text, values in zip(sql, args, strict=True)
    ]
    for number, step in enumerate(steps[1:]):
        step["condition"] = {"type": "ok", "step": number}
    undo = {"type": "not", "cond": {"type": "ok", "step": len(steps) - 1}}
    return [*steps, {"stmt": {"sql": "ROLLBACK"}, "condition": undo}]


def _rows(data: Any, count: int) -> list[list[Any]]:
    try:
        outcome = data["results"][0]
        if outcome["type"] != "ok":
            raise BindingError(f"the telemetry database refused: {outcome['error']['message']}")
        result = outcome["response"]["result"]
        if error := next((error for error in result["step_errors"] if error), None):
            raise BindingError(f"the telemetry database refused: {error['message']}")
        return [step["rows"] for step in result["step_results"][1 : count + 1]]
    except (LookupError, TypeError) as error:
        raise BindingError("the telemetry database's reply can't be read") from error


def _value(value: Any) -> dict[str, str]:
    return {"type": "integer", "value": str(value)} if isinstance(value, int) else {"type": "text", "value": value}
