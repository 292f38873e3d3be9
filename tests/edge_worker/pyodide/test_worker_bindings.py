"""How the Worker's bindings fail: the way the Protocols promise. What succeeds is in test_pyodide_smoke.py."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from storefront.bindings import BindingError, variable
from storefront.worker_bindings import CappedRequest, WorkerAI, WorkerEnv, WorkerFetch, WorkerKV


class JsError(Exception):
    """As pyodide.ffi.JsException, which a rejected promise raises and which CPython has not."""


class Rejecting:
    async def get(self, key: str, **options: Any) -> None:
        raise JsError("KV GET failed: 500")

    async def run(self, model: str, inputs: dict[str, Any]) -> None:
        raise JsError("3040: capacity temporarily exceeded")


async def never(*args: Any, **options: Any) -> None:
    await asyncio.Event().wait()


def test_a_rejected_promise_of_kv_is_a_binding_error() -> None:
    with pytest.raises(BindingError, match="KV: JsError KV GET failed"):
        asyncio.run(WorkerKV(Rejecting()).get("domain:a.example"))


def test_a_rejected_promise_of_workers_ai_is_a_binding_error() -> None:
    with pytest.raises(BindingError, match="capacity"):
        asyncio.run(WorkerAI(Rejecting()).run("@cf/test/model", {}))


def test_an_answer_of_workers_ai_that_is_no_object_is_a_binding_error() -> None:
    class Wordy:
        async def run(self, model: str, inputs: dict[str, Any]) -> str:
            return "hello"

    with pytest.raises(BindingError, match="without a result"):
        asyncio.run(WorkerAI(Wordy()).run("@cf/test/model", {}))


def test_a_fetch_without_an_answer_is_given_up() -> None:
    with pytest.raises(BindingError, match=r"GET https://a\.example/: TimeoutError"):
        asyncio.run(WorkerFetch(never)("GET", "https://a.example/", timeout=0.01))


def test_a_long_body_is_read_no_further_than_it_takes_to_refuse_it() -> None:
    async def endless() -> AsyncIterator[Any]:
        while True:
            yield SimpleNamespace(byteLength=40)

    async def read(request: Any) -> int:
        return sum([piece.byteLength async for piece in request.body])

    capped = CappedRequest(SimpleNamespace(method="POST", body=endless()), 100)
    assert (asyncio.run(read(capped)), capped.method) == (120, "POST")
    assert CappedRequest(SimpleNamespace(body=None), 100).body is None


def test_a_missing_binding_is_missed_only_where_it_is_used() -> None:
    env = WorkerEnv(SimpleNamespace(KV=Rejecting(), TURSO_URL="https://database.example"), never, print)
    assert variable(env, "TURSO_URL") == "https://database.example"
    assert variable(env, "TURSO_URL_EU") == ""
    with pytest.raises(AttributeError):
        _ = env.AI
