"""A piece of SQL with its parameters. Fragments are this package's own constants; every value is a parameter."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Sql(NamedTuple):
    text: str
    parameters: tuple[Any, ...] = ()


FALSE = Sql("0")
TRUE = Sql("1")


def join(word: str, parts: Sequence[Sql]) -> Sql:
    """The parts with ` AND ` or ` OR ` between them, in brackets; no part at all is true."""
    text = word.join(part.text for part in parts) or "1"
    return Sql(f"({text})", tuple(p for part in parts for p in part.parameters))
