"""Text → syntax tree, by the grammar of the CEL specification (cel-spec, doc/langdef.md)."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import LarkError

GRAMMAR = r"""
?start: expr
?expr: disjunction | disjunction "?" disjunction ":" expr -> conditional
?disjunction: conjunction | disjunction "||" conjunction -> or_
?conjunction: relation | conjunction "&&" relation -> and_
?relation: addition | relation RELATION addition -> binary
?addition: product | addition SIGN product -> binary
?product: unary | product FACTOR unary -> binary
?unary: member | "!" unary -> not_ | "-" unary -> negative
?member: primary
    | member "." NAME -> select
    | member "." NAME "(" arguments ")" -> method
    | member "[" expr "]" -> index
?primary: literal | "(" expr ")"
    | NAME -> name
    | "." NAME -> name
    | NAME "(" arguments ")" -> function
    | "[" arguments "]" -> elements
    | "{" [entry ("," entry)* ","?] "}" -> entries
arguments: [expr ("," expr)* ","?]
entry: expr ":" expr
literal: FLOAT | UINT | INT | STRING | "true" -> true | "false" -> false | "null" -> null
RELATION.2: /<=|>=|==|!=|<|>|in(?![A-Za-z0-9_])/
SIGN: "+" | "-"
FACTOR: "*" | "/" | "%"
FLOAT.3: /\d+\.\d+([eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+([eE][+-]?\d+)?/
UINT.2: /(0x[0-9a-fA-F]+|\d+)[uU]/
INT.1: /0x[0-9a-fA-F]+|\d+/
STRING.4: /([bB]?[rR]?|[rR][bB])("{3}(.|\n)*?(?<!\\)"{3}|'{3}(.|\n)*?(?<!\\)'{3}|"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])*')/
NAME: /[A-Za-z_][A-Za-z0-9_]*/
%ignore /\s+/
%ignore /\/\/[^\n]*/
"""


class SyntaxProblem(ValueError):  # noqa: N818 - the word of the rule's author
    """The text is no CEL, or names what does not exist; the message is for the author of the rule."""


@dataclasses.dataclass(frozen=True)
class Node:
    """`kind` names the rule of the grammar; `parts` are nodes, texts and constants."""

    kind: str
    parts: tuple[Any, ...]

    def walk(self) -> Iterator["Node"]:
        yield self
        for part in self.parts:
            for node in part if isinstance(part, tuple) else (part,):
                if isinstance(node, Node):
                    yield from node.walk()


class _Tree(Transformer[Token, Node]):
    def __default__(self, data: Any, children: list[Any], meta: Any) -> Node:
        return Node(str(data), tuple(str(child) if isinstance(child, Token) else child for child in children))

    def literal(self, children: list[Token]) -> Node:
        return Node("constant", (_constant(children[0]),))

    def true(self, _: list[Any]) -> Node:
        return Node("constant", (True,))

    def false(self, _: list[Any]) -> Node:
        return Node("constant", (False,))

    def null(self, _: list[Any]) -> Node:
        return Node("constant", (None,))

    def arguments(self, children: list[Node | None]) -> tuple[Node, ...]:
        return tuple(child for child in children if child is not None)

    def elements(self, children: list[tuple[Node, ...]]) -> Node:
        return Node("elements", children[0])

    def entry(self, children: list[Node]) -> tuple[Node, Node]:
        return (children[0], children[1])

    def entries(self, children: list[tuple[Node, Node]]) -> Node:
        return Node("entries", tuple(children))


def _constant(token: Token) -> Any:
    text = str(token)
    if token.type == "FLOAT":
        return float(text)
    if token.type in {"INT", "UINT"}:
        return int(text.rstrip("uU"), 0) if text.lower().startswith("0x") else int(text.rstrip("uU"))
    # CEL's literals are Python's, but for \` and \? and for triple quotes inside, which rules do not have.
    return ast.literal_eval(re.sub(r"\\([`?])", r"\1", text))


@cache
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=False)


@cache
def parse(text: str) -> Node:
    """Raises SyntaxProblem with the vendor's kind of message."""
    try:
        return _Tree().transform(_parser().parse(text))
    except (LarkError, ValueError, SyntaxError, RecursionError) as error:
        at = f"{getattr(error, 'line', 1)}:{getattr(error, 'column', 1)}"
        raise SyntaxProblem(f"ERROR: <input>:{at}: syntax error in `{text}`") from error
