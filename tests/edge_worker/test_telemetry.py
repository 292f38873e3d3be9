"""What the edge writes of a chat, in a real libSQL server of its own."""

import uuid
from collections.abc import AsyncIterator

import httpx
import pytest

from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import Sqld
from storefront import telemetry
from storefront.http_bindings import HttpFetch
from storefront.telemetry import DayUsage, Turn, uuid7
from tests.edge_worker.memory import CONVERSATION, Platform

pytestmark = pytest.mark.anyio

AT = 1_795_530_023_279  # 24 November 2026
A, B = "0198c0de-0000-7000-8000-00000000000a", "0198c0de-0000-7000-8000-00000000000b"


@pytest.fixture
async def env(telemetry_sqld: Sqld, telemetry_database: TursoDatabase) -> AsyncIterator[Platform]:
    async with httpx.AsyncClient(trust_env=False) as client:
        made = Platform(TELEMETRY_URL=telemetry_sqld.url, TELEMETRY_WRITE_TOKEN=telemetry_sqld.rw_token)
        made.FETCH = HttpFetch(client)  # type: ignore[assignment]
        yield made


def turn(number: int = 0, tenant: str = A, **changed: object) -> Turn:
    values: dict[str, object] = {
        "id": uuid7(AT + number), "tenant_id": tenant, "conversation_id": CONVERSATION, "turn_no": 1, "at": AT,
        "question": "Wärm? '; DROP TABLE turn; --", "answer": "Yes. 🧣", "answered": True,
        "sources": [{"kind": "product", "id": "p1", "score": 0.5}], "tokens_in": 40, "tokens_out": 2,
    }  # fmt: skip
    return Turn(**(values | changed))  # type: ignore[arg-type]


async def test_a_turn_is_written_and_counted(env: Platform, telemetry_database: TursoDatabase) -> None:
    await telemetry.record(env, turn())
    await telemetry.record(env, turn(1))
    await telemetry.record(env, turn(2, B))
    rows = telemetry_database.execute(
        "SELECT question, answer, answered, sources ->> 0 FROM turn WHERE tenant_id = ?", [A]
    )
    assert [tuple(row)[:3] for row in rows] == [("Wärm? '; DROP TABLE turn; --", "Yes. 🧣", 1)] * 2
    assert await telemetry.usage_today(env, A, AT) == DayUsage(messages=2, tokens=84)
    assert await telemetry.usage_today(env, A, AT + 86_400_000) == DayUsage()


async def test_the_last_rating_counts_and_only_for_its_own_shop(
    env: Platform, telemetry_database: TursoDatabase
) -> None:
    await telemetry.rate(env, A, CONVERSATION, 1)
    await telemetry.rate(env, A, CONVERSATION, -1)
    await telemetry.rate(env, B, CONVERSATION, 1)
    rows = telemetry_database.execute("SELECT turn_id, tenant_id, value FROM rating")
    assert [tuple(row) for row in rows] == [(CONVERSATION, A, -1)]


async def test_half_a_turn_is_never_kept(env: Platform, telemetry_database: TursoDatabase) -> None:
    telemetry_database.execute("DROP TABLE usage")
    await telemetry.record(env, turn())
    assert telemetry_database.execute("SELECT count(*) FROM turn")[0][0] == 0


async def test_another_databases_token_opens_nothing_here(env: Platform, sqld: Sqld) -> None:
    env.TELEMETRY_WRITE_TOKEN = sqld.rw_token
    await telemetry.record(env, turn())  # logged, not raised
    assert await telemetry.usage_today(env, A, AT) == DayUsage()


async def test_a_database_that_is_away_costs_nobody_an_answer(env: Platform) -> None:
    env.TELEMETRY_URL = "http://127.0.0.1:9"
    assert await telemetry.usage_today(env, A, AT) == DayUsage()
    await telemetry.record(env, turn())


def test_ids_are_uuids_of_version_7_that_grow_with_time() -> None:
    ids = [uuid7(AT + step) for step in range(50)]
    assert ids == sorted(ids)
    assert {uuid.UUID(one).version for one in ids} == {7}
    assert {uuid.UUID(one).variant for one in ids} == {uuid.RFC_4122}
    assert len({uuid7(AT) for _ in range(1000)}) == 1000
