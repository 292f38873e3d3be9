"""Which reader reads what, and what all of them promise about their text."""

import re
import unicodedata
from collections.abc import Callable
from importlib import import_module
from pathlib import PurePath

from chat.reading.errors import MAX_CHARACTERS, Text, UnreadableError

MAX_BYTES = 10 * 1024 * 1024

READERS = {
    ".md": "chat.reading.plain:markdown",
    ".markdown": "chat.reading.plain:markdown",
    ".txt": "chat.reading.plain:plain_text",
    ".csv": "chat.reading.table:table",
    ".pdf": "chat.reading.pdf:pdf",
    ".docx": "chat.reading.docx:docx",
    ".html": "chat.reading.page:page",
}
FILE_TYPES = (".md", ".markdown", ".txt", ".pdf", ".docx", ".csv")
"""What merchants may upload; pages come from the web only."""


def read(name: str, data: bytes) -> Text:
    """The text of a file, by the ending of its name. Raises UnreadableError."""
    path = READERS.get(PurePath(name).suffix.lower())
    if path is None:
        raise UnreadableError("This kind of file can't be read. Use Markdown, TXT, PDF, DOCX or CSV.")
    if len(data) > MAX_BYTES:
        raise UnreadableError(f"The file is too large: at most {MAX_BYTES // 1024 // 1024} MB.")
    module, _, function = path.partition(":")
    reader: Callable[[bytes], Text] = getattr(import_module(module), function)
    text = reader(data)
    return checked(Text(clean(text.title)[:200].strip() or PurePath(name).stem[:200], clean(text.body)))


def checked(text: Text) -> Text:
    if not re.search(r"\w", text.body):
        raise UnreadableError("There is no text in it. Pages that are pictures can't be read: use selectable text.")
    if len(text.body) > MAX_CHARACTERS:
        raise UnreadableError(
            f"The text is too long: {len(text.body):,} characters, at most {MAX_CHARACTERS:,}. Split the file."
        )
    return text


def clean(text: str) -> str:
    """Characters that every database stores: no control characters, no halves of surrogate pairs."""
    text = text.encode("utf-8", "ignore").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn"))
    return re.sub(r"\n{3,}", "\n\n", unicodedata.normalize("NFC", text)).strip()
