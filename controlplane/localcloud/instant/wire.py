"""What the browser is sent: one node with one join-row of triples (server: reactive/query.clj).

The client puts the triples in a store and runs the query again on them, so the set must be complete and exact.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from controlplane.localcloud.instant.levels import Level, PageInfo
from controlplane.localcloud.instant.triples import Triple
from controlplane.localcloud.instant.values import compact


def node(levels: Sequence[Level]) -> str:
    """The JSON of `result`: every triple once, whatever the number of paths that lead to it."""
    rows = ",".join(dict.fromkeys(triple for level in levels for triple in _triples(level)))
    more = "".join(f',"{name}":{compact(value)}' for name, value in meta(levels).items() if value)
    return f'[{{"data":{{"datalog-result":{{"join-rows":[[{rows}]]}}{more}}},"child-nodes":[]}}]'


def meta(levels: Sequence[Level]) -> dict[str, Any]:
    """Where the pages of the top level start and end, and how many entities an aggregate counted, by namespace."""
    return {
        "page-info": {level.form.key: _page_info(level.page_info) for level in levels if level.page_info},
        "aggregate": {level.form.key: {"count": level.count} for level in levels if level.count is not None},
    }


def _page_info(info: PageInfo) -> dict[str, Any]:
    return {
        "start-cursor": _cursor(info.start),
        "end-cursor": _cursor(info.end),
        "has-next-page?": info.has_next,
        "has-previous-page?": info.has_previous,
    }


def _cursor(triple: Triple | None) -> list[Any] | None:
    return triple and [triple.entity, triple.attr.id, triple.value, triple.created_at]


def _triples(level: Level) -> Iterator[str]:
    yield from (triple.json for triple in level.paths)
    for row in level.rows:
        yield from row.record.json if row.triples is row.record.triples else (triple.json for triple in row.triples)
        yield from (triple.json for triple in row.others)
        for child in row.children:
            yield from _triples(child)
