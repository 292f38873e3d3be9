"""The audit log as CSV: streamed in pieces, so that its length costs neither memory nor a long transaction."""

import csv
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from controlplane.publishing import keyset

COLUMNS = ("when", "person", "e-mail", "shop", "shop id", "action", "kind", "object", "object id", "changes",
           "address", "request")  # fmt: skip
PIECE = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|")
"""What a spreadsheet may take for a formula at the beginning of a cell."""


def response(request: HttpRequest, entries: QuerySet[Any]) -> StreamingHttpResponse:
    pieces = _pieces(entries)
    # A server under ASGI would collect the whole of a synchronous stream first.
    content = _asynchronous(pieces) if isinstance(request, ASGIRequest) else pieces
    answer = StreamingHttpResponse(content, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="audit-log-{timezone.now():%Y-%m-%d-%H%M}.csv"'
    return answer


def _pieces(entries: QuerySet[Any]) -> Iterator[str]:
    yield "\ufeff" + _lines([COLUMNS])  # the mark tells spreadsheets that it is UTF-8
    keys, rest = keyset.keys_of(entries.model, ["-timestamp", "-pk"]), entries
    order = [key.order(backward=False) for key in keys]
    while True:
        found = list(rest.order_by(*order)[:PIECE])
        if found:
            yield _lines([_cells(entry) for entry in found])
        if len(found) < PIECE:
            return
        last = [key.value_of(found[-1]) for key in keys]
        rest = entries.filter(keyset.beyond(keys, last, backward=False))


async def _asynchronous(pieces: Iterator[str]) -> AsyncIterator[str]:
    while (piece := await sync_to_async(_next)(pieces)) is not None:
        yield piece


def _next(pieces: Iterator[str]) -> str | None:
    return next(pieces, None)


def _cells(entry: Any) -> tuple[str, ...]:
    changes = "; ".join(f"{name}: {before} → {after}" for name, before, after in entry.rows)
    hidden = entry.by_staff and entry.shown_addr is None
    cells = (entry.timestamp.isoformat(), entry.person, "" if hidden else entry.actor_email or "", entry.tenant_name,
             str(entry.tenant_id or ""), entry.verb, entry.kind, entry.object_repr, entry.object_pk, changes,
             entry.shown_addr or "", entry.cid)  # fmt: skip
    return tuple(safe(cell) for cell in cells)


def safe(cell: str) -> str:
    """A leading apostrophe makes a spreadsheet show a would-be formula as the text it is."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _lines(rows: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
