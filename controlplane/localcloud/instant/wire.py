"""What the browser is sent: one node with one join-row of triples (server: reactive/query.clj).

The client puts the triples in a store and runs the query again on them, so the set must be complete and exact.
"""

from collections.abc import Iterator, Sequence

from controlplane.localcloud.instant.instaql import Level
from controlplane.localcloud.instant.triples import Triple
from controlplane.localcloud.instant.values import dumps


def node(levels: Sequence[Level]) -> str:
    """The JSON of `result`: every triple once, whatever the number of paths that lead to it."""
    rows = ",".join(dict.fromkeys(triple for level in levels for triple in _triples(level)))
    return f'[{{"data":{{"datalog-result":{{"join-rows":[[{rows}]]}}}},"child-nodes":[]}}]'


def _triples(level: Level) -> Iterator[str]:
    for row in level.rows:
        yield from map(_json, row.triples)
        yield from map(_json, row.links)
        for child in row.children:
            yield from _triples(child)


def _json(triple: Triple) -> str:
    return f'["{triple.entity}","{triple.attr.id}",{dumps(triple.value)},{triple.created_at}]'
