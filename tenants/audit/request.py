"""The request that is being answered: its id, and whose changes are made in it. Imports no model: logging needs it."""

import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER = "X-Request-ID"
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
"""What a proxy's ids look like; anything else could forge log lines or fill the log."""

current: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)


def id_of(request: HttpRequest) -> str:
    sent = request.headers.get(HEADER, "")
    return sent if WELL_FORMED.fullmatch(sent) else uuid.uuid4().hex


def request_id() -> str:
    """The id of the request being answered; empty outside of one, as in a task."""
    request = current.get()
    return getattr(request, "audit_id", "") if request is not None else ""


@contextmanager
def answering(request: HttpRequest) -> Iterator[str]:
    request.audit_id = id_of(request)  # type: ignore[attr-defined]
    token = current.set(request)
    try:
        yield request.audit_id  # type: ignore[attr-defined]
    finally:
        current.reset(token)


@sync_and_async_middleware
def middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The outermost: every log line of a request carries its id, and so does the answer."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponseBase:
            with answering(request) as id_:
                waiting: Awaitable[HttpResponseBase] = get_response(request)
                response = await waiting
            response.headers[HEADER] = id_
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponseBase:
        with answering(request) as id_:
            response: HttpResponseBase = get_response(request)
        response.headers[HEADER] = id_
        return response

    return answer


class RequestIdFilter(logging.Filter):
    """Gives every log line a `request_id`."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id() or "-"
        return True
