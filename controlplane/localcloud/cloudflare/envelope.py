"""Cloudflare's envelope around every answer, and its refusals."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse


class Refusal(Exception):  # noqa: N818 - an answer, not a bug
    """An answer other than success: an HTTP status, Cloudflare's error code and message."""

    def __init__(self, status: int, code: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


def success(result: Any, **info: Any) -> JSONResponse:
    body: dict[str, Any] = {"success": True, "errors": [], "messages": [], "result": result}
    return JSONResponse({**body, "result_info": info} if info else body)


async def refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refusal)
    body = {
        "success": False,
        "errors": [{"code": error.code, "message": error.message}],
        "messages": [],
        "result": None,
    }
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return JSONResponse(body, error.status, headers)
