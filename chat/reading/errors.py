"""What every reader gives and raises."""

from typing import NamedTuple

MAX_PAGES = 300
MAX_CHARACTERS = 200_000


class Text(NamedTuple):
    """`body` is Markdown, at most MAX_CHARACTERS; `title` may be empty."""

    title: str
    body: str


class UnreadableError(Exception):
    """The message is for the merchant: what is wrong and what to do."""
