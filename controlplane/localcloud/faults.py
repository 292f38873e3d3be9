"""Switchable faults for the stand-ins: latency, 429, 5xx, dropped connections, partial bulk success.

Set them over HTTP (`PUT /__faults` with a JSON list of faults, `DELETE /__faults`) or in process through
`Faults.set`. Both stand-ins mount `FaultMiddleware` outermost, so that a fault hits before authentication.
"""

import asyncio
import dataclasses
import itertools
import json
from collections.abc import Iterable
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Kind = Literal["latency", "status", "drop", "partial"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault: `path` is matched as a substring of the URL path; it begins `after` so many requests that it
    would hit, and `times` counts down then (None: until cleared).

    latency: waits `seconds`, then goes on. status: answers `status` with `retry_after` seconds if given.
    drop: waits `seconds`, then breaks the connection (a real server's: in-process clients see a bug of the app).
    partial: the route itself fails every key that contains `match` (KV bulk writes only).
    """

    path: str = ""
    kind: Kind
    status: int = 500
    seconds: float = 0.0
    retry_after: int | None = None
    match: str = ""
    after: int = 0
    times: int | None = None


class Faults:
    def __init__(self) -> None:
        self._active: list[tuple[Fault, itertools.count[int]]] = []

    def set(self, faults: Iterable[Fault]) -> None:
        self._active = [(fault, itertools.count()) for fault in faults]

    def clear(self) -> None:
        self._active = []

    def take(self, path: str, *kinds: Kind) -> Fault | None:
        """The first live fault for this path among `kinds`, using up one of its times."""
        for fault, hits in self._active:
            if fault.kind not in kinds or fault.path not in path:
                continue
            number = next(hits) - fault.after
            if number >= 0 and (fault.times is None or number < fault.times):
                return fault
        return None


class FaultMiddleware:
    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app = app
        self.faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["path"] == "/__faults":
            await (await self._control(Request(scope, receive)))(scope, receive, send)
            return
        if slow := self.faults.take(scope["path"], "latency"):
            await asyncio.sleep(slow.seconds)
        if fault := self.faults.take(scope["path"], "status", "drop"):
            await asyncio.sleep(fault.seconds if fault.kind == "drop" else 0)
            if fault.kind == "drop":
                # An exception, or no answer at all, would be made into a 500: half an answer closes the connection.
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
                return
            headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
            body = {"success": False, "errors": [{"code": 10000, "message": "fault: by request"}], "result": None}
            await JSONResponse(body, fault.status, headers)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _control(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.faults.clear()
        elif request.method == "PUT":
            try:
                self.faults.set([Fault(**fault) for fault in await request.json()])
            except (json.JSONDecodeError, TypeError) as error:
                return JSONResponse({"error": f"a JSON list of faults, please: {error}"}, 400)
        else:
            return Response(status_code=405)
        return Response(status_code=204)
