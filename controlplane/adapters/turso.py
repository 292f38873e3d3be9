"""Turso, or any libSQL server: libsql-client's interface on the transport that the server's URL names.

http(s):// and libsql:// speak Hrana 3 over HTTP (`/v2/pipeline`), since libsql-client 0.3.1 knows only `/v1`, which
Turso Cloud has removed. ws(s)://, which only self-hosted servers still take, is libsql-client itself.
Source: github.com/tursodatabase/libsql, docs/HRANA_3_SPEC.md; error codes in libsql-server/src/hrana/stmt.rs.
"""

import asyncio
import base64
import dataclasses
import math
import os
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeVar, overload
from urllib.parse import urlsplit

import httpx

from controlplane.adapters.errors import AdapterError

Value = None | str | int | float | bytes
Args = Sequence[Value] | Mapping[str, Value] | None
Result = TypeVar("Result")


@dataclasses.dataclass(frozen=True)
class Statement:
    """SQL with positional (`?`) or named (`:name`, given without the colon) arguments."""

    sql: str
    args: Args = None


class Row(Sequence[Value]):
    """One row: values by index or by column name."""

    __slots__ = ("_columns", "_values")

    def __init__(self, columns: tuple[str, ...], values: tuple[Value, ...]) -> None:
        self._columns = columns
        self._values = values

    @overload
    def __getitem__(self, key: int | str) -> Value: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Value, ...]: ...
    def __getitem__(self, key: int | str | slice) -> Value | tuple[Value, ...]:
        return self._values[self._columns.index(key) if isinstance(key, str) else key]

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)

    def astuple(self) -> tuple[Value, ...]:
        return self._values

    def asdict(self) -> dict[str, Value]:
        return dict(zip(self._columns, self._values, strict=True))


@dataclasses.dataclass(frozen=True)
class ResultSet:
    columns: tuple[str, ...]
    rows: list[Row]
    rows_affected: int
    last_insert_rowid: int | None

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]


class Transport(Protocol):
    def execute(self, statement: Statement) -> ResultSet: ...
    def batch(self, statements: Sequence[Statement]) -> list[ResultSet]: ...
    def close(self) -> None: ...


class TursoDatabase:
    """One database, usable from any thread and after any fork; connects at the first statement.

    `timeout` is in seconds and holds for connecting, sending and each wait for the server. Every method raises
    AdapterError: transient for an unreachable, throttling or busy server, permanent for refused SQL or credentials.
    A URL with another scheme, or with credentials or options in it, raises ValueError.
    """

    def __init__(self, url: str, auth_token: str | None = None, *, timeout: float = 10.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http", "libsql", "wss", "ws") or not parts.hostname:
            raise ValueError("A Turso URL starts with libsql://, https://, http://, wss:// or ws:// and names a host.")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("A Turso URL carries no credentials and no options: the token is passed beside it.")
        scheme = "https" if parts.scheme == "libsql" else parts.scheme
        self._url = f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._auth_token = auth_token
        self._timeout = timeout
        # By process id: a connection or thread of the parent is dead in a forked child (libsql-client's hangs there),
        # and destroying it there could disturb the parent's.
        self._transports: dict[int, Transport] = {}

    def execute(self, statement: Statement | str, args: Args = None) -> ResultSet:
        """Run one statement, in a transaction of its own."""
        return self._transport().execute(_statement(statement, args))

    def batch(self, statements: Sequence[Statement | str]) -> list[ResultSet]:
        """Run all statements in one write transaction and one round trip, or none of them."""
        return self._transport().batch([_statement(statement) for statement in statements])

    def rehearse(self, changes: Sequence[Statement | str], query: Mapping[str, Any]) -> Mapping[str, Any]:
        """What `query` would answer after `changes`, all of which are undone: nothing is written.

        `query` and the result are in Hrana's own form, as the edge sends and reads them. Over HTTP only. Changes hold
        the write lock for this one round trip.
        """
        transport = self._transport()
        if not isinstance(transport, _HttpTransport):
            raise AdapterError("Trying out needs a Turso URL that begins with https:// or libsql://.", permanent=True)
        return transport.rehearse([_statement(change) for change in changes], query)

    def close(self) -> None:
        """Drop this process's connection; the next statement opens a new one."""
        if transport := self._transports.pop(os.getpid(), None):
            transport.close()

    def _transport(self) -> Transport:
        made = self._transports.get(os.getpid())
        # setdefault is atomic: of two threads that come here at once both use the same transport.
        return made or self._transports.setdefault(os.getpid(), self._connect())

    def _connect(self) -> Transport:
        if self._url.startswith("ws"):
            return _WebSocketTransport(self._url, self._auth_token, self._timeout)
        return _HttpTransport(self._url, self._auth_token, self._timeout)


def _statement(statement: Statement | str, args: Args = None) -> Statement:
    return statement if isinstance(statement, Statement) else Statement(statement, args)


class _HttpTransport:
    def __init__(self, url: str, auth_token: str | None, timeout: float) -> None:
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {auth_token}"} if auth_token else {},
            timeout=timeout,
            transport=httpx.HTTPTransport(retries=1),  # repeats a failed connect only: nothing has been sent then
        )

    def close(self) -> None:
        self._client.close()

    def execute(self, statement: Statement) -> ResultSet:
        return self._ask({"type": "execute", "stmt": _stmt(statement)}, _result_set)

    def batch(self, statements: Sequence[Statement]) -> list[ResultSet]:
        return self._ask({"type": "batch", "batch": {"steps": _transaction(statements)}}, _batch_results)

    def rehearse(self, changes: Sequence[Statement], query: Mapping[str, Any]) -> Mapping[str, Any]:
        steps = _undone([*map(_stmt, changes), query], writes=bool(changes))
        return self._ask({"type": "batch", "batch": {"steps": steps}}, _last_result)

    def _ask(self, request: dict[str, Any], read: Callable[[Mapping[str, Any]], Result]) -> Result:
        """One request on a stream of its own, which is closed in the same round trip: no transaction lingers."""
        reply = self._post({"requests": [request, {"type": "close"}]})
        try:
            outcome = reply.json()["results"][0]
            if outcome["type"] == "error":
                _refuse(outcome["error"])
            return read(outcome["response"]["result"])
        except (ValueError, LookupError, TypeError):
            raise AdapterError("Turso sent a reply that is not Hrana.", permanent=False) from None

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        # httpx's own messages stay out of ours: that of an illegal header quotes the token.
        try:
            reply = self._client.post("/v2/pipeline", json=body)
        except httpx.TimeoutException:
            raise AdapterError("Turso did not answer in time.", permanent=False) from None
        except httpx.LocalProtocolError:
            raise AdapterError("The Turso token has characters that HTTP cannot send.", permanent=True) from None
        except httpx.HTTPError as error:
            raise AdapterError(f"Turso could not be reached ({type(error).__name__}).", permanent=False) from None
        if not reply.is_success:
            _refuse_status(reply.status_code, reply.headers.get("Retry-After"))
        return reply


class _WebSocketTransport:
    """libsql-client on an event loop in a thread of ours: its own synchronous client has no timeouts.

    Its transactions start with a plain BEGIN, and sqld hangs up without a word on a write with a read-only token,
    which therefore is a transient error here.
    """

    def __init__(self, url: str, auth_token: str | None, timeout: float) -> None:
        self._url, self._auth_token, self._timeout = url, auth_token, timeout
        self._client: Any = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="turso", daemon=True)
        self._thread.start()

    def execute(self, statement: Statement) -> ResultSet:
        return _copied(self._run(self._call("execute", _foreign(statement))))

    def batch(self, statements: Sequence[Statement]) -> list[ResultSet]:
        return [_copied(result) for result in self._run(self._call("batch", [_foreign(s) for s in statements]))]

    def close(self) -> None:
        self._run(self._drop_client())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _drop_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _call(self, method: str, argument: Any) -> Any:
        import aiohttp
        import libsql_client

        call = asyncio.create_task(self._connected_call(method, argument))
        done, _ = await asyncio.wait({call}, timeout=self._timeout)
        if not done:
            await self._drop_client()  # it may hang for good; closing it also ends the call
            await asyncio.wait({call})
            call.exception()
            raise AdapterError("Turso did not answer in time.", permanent=False)
        try:
            return call.result()
        except libsql_client.LibsqlError as error:
            _refuse({"code": error.code, "message": error.explanation})
        except aiohttp.WSServerHandshakeError as error:
            _refuse_status(error.status, None)
        except (aiohttp.ClientError, OSError) as error:
            raise AdapterError(f"Turso could not be reached ({type(error).__name__}).", permanent=False) from None

    async def _connected_call(self, method: str, argument: Any) -> Any:
        import libsql_client

        if self._client is None or self._client._conn.exception is not None:
            await self._drop_client()
            self._client = libsql_client.create_client(self._url, auth_token=self._auth_token)
            await self._say_hello(self._client._conn)
        return await getattr(self._client, method)(argument)

    @staticmethod
    async def _say_hello(connection: Any) -> None:
        """Raise what the server says of our token. A request sent meanwhile would only find the connection closed."""
        await connection.wait_connected()
        if connection._socket.closed:  # by libsql-client, upon a refusal that this task is about to raise
            await connection._receive_task


def _foreign(statement: Statement) -> Any:
    import libsql_client

    args = statement.args
    return libsql_client.Statement(statement.sql, dict(args) if isinstance(args, Mapping) else list(args or ()))


def _copied(result: Any) -> ResultSet:
    rows = [Row(result.columns, row.astuple()) for row in result.rows]
    return ResultSet(result.columns, rows, result.rows_affected, result.last_insert_rowid)


# --- Hrana ---


def _transaction(statements: Sequence[Statement]) -> list[dict[str, Any]]:
    """The steps of one atomic write: each runs if the one before it did, the last undoes all if COMMIT did not."""
    body = [_stmt(statement) for statement in statements]
    begin: dict[str, Any] = {"stmt": {"sql": "BEGIN IMMEDIATE"}}
    steps = [begin]
    for stmt in [*body, {"sql": "COMMIT"}]:
        steps.append({"condition": {"type": "ok", "step": len(steps) - 1}, "stmt": stmt})
    not_committed = {"type": "not", "cond": {"type": "ok", "step": len(steps) - 1}}
    begun = {"type": "ok", "step": 0}
    return [*steps, {"condition": {"type": "and", "conds": [begun, not_committed]}, "stmt": {"sql": "ROLLBACK"}}]


def _undone(body: Sequence[Mapping[str, Any]], *, writes: bool) -> list[dict[str, Any]]:
    """The steps of statements that leave no trace: each runs if the one before it did, the last undoes them all."""
    begin: dict[str, Any] = {"stmt": {"sql": "BEGIN IMMEDIATE" if writes else "BEGIN"}}
    steps = [begin]
    for stmt in body:
        steps.append({"condition": {"type": "ok", "step": len(steps) - 1}, "stmt": stmt})
    return [*steps, {"condition": {"type": "ok", "step": 0}, "stmt": {"sql": "ROLLBACK"}}]


def _last_result(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """The result of an `_undone`'s last own statement; its first failed step is raised."""
    for error in result["step_errors"]:
        if error is not None:
            _refuse(error)
    last: Mapping[str, Any] = result["step_results"][-2]
    return last


def _stmt(statement: Statement) -> dict[str, Any]:
    args = statement.args
    if isinstance(args, Mapping):
        return {"sql": statement.sql, "named_args": [{"name": n, "value": _encoded(v)} for n, v in args.items()]}
    return {"sql": statement.sql, "args": [_encoded(value) for value in args or ()]}


def _encoded(value: Value) -> dict[str, Any]:
    match value:
        case None:
            return {"type": "null"}
        case str():
            return {"type": "text", "value": value}
        case int():
            if not -(2**63) <= value < 2**63:
                raise OverflowError("SQLite's integers have 64 bits")
            return {"type": "integer", "value": str(int(value))}
        case float():
            if not math.isfinite(value):
                raise ValueError("JSON has no infinity and no NaN")
            return {"type": "float", "value": value}
        case bytes():
            return {"type": "blob", "base64": base64.b64encode(value).decode()}
    raise TypeError(f"SQLite has no {type(value).__name__}")


def _decoded(value: Mapping[str, Any]) -> Value:
    match value["type"]:
        case "null":
            return None
        case "text":
            return str(value["value"])
        case "integer":
            return int(value["value"])
        case "float":
            return float(value["value"])
        case "blob":
            return base64.b64decode(value["base64"] + "==")  # servers leave the padding out
    raise ValueError("a type that Hrana 3 does not have")


def _result_set(result: Mapping[str, Any]) -> ResultSet:
    columns = tuple(column["name"] or "" for column in result["cols"])
    rows = [Row(columns, tuple(_decoded(value) for value in row)) for row in result["rows"]]
    rowid = result.get("last_insert_rowid")
    return ResultSet(columns, rows, result["affected_row_count"], None if rowid is None else int(rowid))


def _batch_results(result: Mapping[str, Any]) -> list[ResultSet]:
    """The results of a `_transaction`'s own statements; its first failed step is raised."""
    for error in result["step_errors"]:
        if error is not None:
            _refuse(error)
    return [_result_set(step) for step in result["step_results"][1:-2]]


# --- errors ---

# Busy or overtaken by another writer, a lost connection, a server that stops: the same request may pass later.
_TRANSIENT_CODES = frozenset(
    "SQLITE_BUSY SQLITE_LOCKED SQLITE_INTERRUPT SQLITE_IOERR SQLITE_NOMEM SQLITE_FULL SQLITE_SCHEMA SQLITE_PROTOCOL "
    "TRANSACTION_TIMEOUT TRANSACTION_BUSY PROXY_ERROR STREAM_EXPIRED "
    "HRANA_WEBSOCKET_ERROR HRANA_PROTO_ERROR CLIENT_CLOSED".split()
)


def _refuse(error: Mapping[str, Any]) -> NoReturn:
    code = error.get("code") or "UNKNOWN"
    raise AdapterError(f"Turso: {error['message']} ({code})", permanent=code not in _TRANSIENT_CODES)


def _refuse_status(status: int, retry_after: str | None) -> NoReturn:
    if status in (401, 403):
        raise AdapterError(f"Turso refused the token, or a write with a read-only one ({status}).", permanent=True)
    wait = float(retry_after) if retry_after and retry_after.isdecimal() else None
    # 505 is Turso Cloud's answer to a websocket.
    transient = status in (408, 425, 429) or (status >= 500 and status not in (501, 505))
    raise AdapterError(f"Turso answered with HTTP status {status}.", permanent=not transient, retry_after=wait)
