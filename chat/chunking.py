"""Cuts a Markdown text into passages that end at headings, paragraphs and sentences. Pure: no Django."""

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from semantic_text_splitter import MarkdownSplitter

CHUNK_LENGTH = (500, 900)
"""Characters of a passage: 900 stay within the 256 tokens that MiniLM reads, also in German."""

MAX_TITLE = 300
SEPARATOR = " › "

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
"""HTML stays text: what a merchant's file says is data, whatever it looks like."""


_ITEM = re.compile(r"(?:-|\d+\.) ")


class Passage(NamedTuple):
    """`title` is the text's title with the headings above the passage; `body` is plain text."""

    title: str
    body: str


class Heading(NamedTuple):
    offset: int
    level: int
    text: str


def passages(title: str, markdown: str) -> Iterator[Passage]:
    """The text in order. A heading is part of the title of what stands below it, so that a passage about "two weeks"
    still says of what."""
    headings = list(_headings(markdown))
    for offset, piece in MarkdownSplitter(CHUNK_LENGTH).chunk_indices(markdown):
        if body := plain(piece, skip_heading=True):
            yield Passage(_titled(title, _path(headings, offset, piece)), body)


def plain(markdown: str, *, skip_heading: bool = False) -> str:
    """The words of a Markdown text without its marks: links and pictures keep their text only.

    `skip_heading` leaves out a heading that the text begins with."""
    lines: list[str] = []
    before: Token | None = None
    for number, token in enumerate(_MARKDOWN.parse(markdown)):
        if token.type == "inline":
            if not (skip_heading and number == 1 and before is not None and before.type == "heading_open"):
                _add(lines, _words(token), before)
        elif token.type in ("fence", "code_block"):
            lines += ["", *token.content.rstrip().splitlines()]
        elif token.type in ("paragraph_open", "heading_open", "tr_open") and not token.hidden:
            lines.append("")
        elif token.type == "list_item_open":
            lines += ["", f"{token.info}. " if token.info else "- "]
        if token.type not in ("thead_open", "tbody_open"):
            before = token
    return "\n".join(_joined(lines)).strip()


def _add(lines: list[str], words: str, before: Token | None) -> None:
    if before is not None and before.type in ("td_open", "th_open"):
        lines[-1:] = [f"{lines[-1]} | {words}" if lines[-1] else words]
    elif lines and _ITEM.fullmatch(lines[-1]):
        lines[-1] += words
    else:
        lines.append(words)


def _joined(lines: Sequence[str]) -> Iterator[str]:
    """Items of a list and rows of a table follow each other; paragraphs stand apart."""
    previous = ""
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        tight = (_ITEM.match(previous) and _ITEM.match(following)) or (" | " in previous and " | " in following)
        if line or not tight:
            yield line
        previous = line or previous


def _words(inline: Token) -> str:
    parts: list[str] = []
    for child in inline.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type in ("text", "code_inline", "image"):
            parts.append(child.content)
    return "".join(parts).strip()


def _headings(markdown: str) -> Iterator[Heading]:
    starts = [0]
    for line in markdown.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tokens = _MARKDOWN.parse(markdown)
    for opening, inline in itertools.pairwise(tokens):
        if opening.type == "heading_open" and opening.map and opening.map[0] < len(starts):
            yield Heading(starts[opening.map[0]], int(opening.tag[1:]), _words(inline))


def _path(headings: Sequence[Heading], offset: int, piece: str) -> list[str]:
    """The headings above a passage, outermost first; one that the passage begins with is above it too."""
    open_: list[Heading] = []
    body_at = offset + len(piece) - len(piece.lstrip())
    for heading in headings:
        if heading.offset > body_at:
            break
        open_ = [*(one for one in open_ if one.level < heading.level), heading]
    return [heading.text for heading in open_]


def _titled(title: str, path: Sequence[str]) -> str:
    above = [text for text in path if text and text.casefold() != title.casefold()]
    return SEPARATOR.join([title, *above])[:MAX_TITLE]
