"""How much a request may bring: said before it is read where it says its size, and noticed while it is read."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.views.defaults import bad_request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEGABYTE = 1024 * 1024
MOST_FILE = 11 * MEGABYTE
"""A little more than any form takes, so that a file a little too large is refused by its form, in its words."""
MOST_BODY = MOST_FILE + MEGABYTE
MOST_BODIES = {"/admin/chat/knowledgesource/upload/": 20 * MOST_FILE}
"""By path: where several files come at once."""

TOO_LARGE = "This upload is too large. A file may have 10 MB at most."


def most(path: str) -> int:
    return MOST_BODIES.get(path, MOST_BODY)


class BodyLimit:
    """Before Django, which under ASGI writes a whole body to disk before it looks at it."""

    def __init__(self, app: Any) -> None:
        self._app: ASGIApp = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit, seen, started = most(scope["path"]), 0, False
        if _said(scope) > limit:
            await _refuse(send)
            return

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            # As if the visitor had gone: Django then closes and forgets what it has written.
            return {"type": "http.disconnect"} if seen > limit else message

        async def noticed(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        await self._app(scope, counted, noticed)
        if seen > limit and not started:
            await _refuse(send)


def _said(scope: Scope) -> int:
    length = dict(scope["headers"]).get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def _refuse(send: Send) -> None:
    # "close": what is still on its way is not waited for.
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": TOO_LARGE.encode()})


class BoundedUploadHandler(FileUploadHandler):
    """First of the handlers: stops reading where a file grows too large, whatever the request said of its size."""

    seen = 0

    def handle_raw_input(self, input_data: Any, META: dict[str, str], content_length: int, *_: Any) -> None:  # noqa: N803
        if content_length > most(self.request.path if self.request else ""):
            raise RequestDataTooBig(TOO_LARGE)

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.seen = 0
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.seen += len(raw_data)
        if self.seen > MOST_FILE:
            self._close_what_was_begun()
            raise RequestDataTooBig(TOO_LARGE)
        return raw_data

    def _close_what_was_begun(self) -> None:
        """Django does so for its own StopUpload only, which would go on with half a form."""
        for handler in self.request.upload_handlers if self.request else []:
            if isinstance(handler, TemporaryFileUploadHandler):
                handler.upload_interrupted()

    def file_complete(self, file_size: int) -> None:
        """None: the handlers after this one keep the file."""


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 400 page, but 413 with a sentence for what is too large."""
    if isinstance(exception, RequestDataTooBig):
        return HttpResponse(TOO_LARGE, status=413, content_type="text/plain; charset=utf-8")
    return bad_request(request, exception)
