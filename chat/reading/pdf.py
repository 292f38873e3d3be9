"""PDF, by pypdf."""

import io
import logging
import re
from collections.abc import Iterable

from pypdf import PdfReader

from chat.reading.errors import MAX_CHARACTERS, MAX_PAGES, Text, UnreadableError

LINE = 45
"""Characters above which a line without a full stop runs on: shorter ones are headings and items."""


def pdf(data: bytes) -> Text:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    if not data.lstrip()[:5] == b"%PDF-":
        raise UnreadableError("This is not a PDF, whatever its name says.")
    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableError("The PDF is protected by a password. Save it without one.")
        if len(reader.pages) > MAX_PAGES:
            raise UnreadableError(f"The PDF has too many pages: at most {MAX_PAGES}.")
        return Text("", "\n\n".join(_pages(reader)))
    except UnreadableError:
        raise
    except MemoryError:
        raise
    except Exception as error:  # a broken file may raise anything
        raise UnreadableError(f"The PDF is damaged or uses something unusual ({type(error).__name__}).") from None


def _pages(reader: PdfReader) -> Iterable[str]:
    size = 0
    for page in reader.pages:
        text = reflowed(page.extract_text())
        size += len(text)
        yield text
        if size > MAX_CHARACTERS:  # `read` refuses it; the rest needn't be read for that
            return


def reflowed(text: str) -> str:
    """Sentences in one line again; a PDF has lines as they were printed."""
    lines: list[str] = []
    for line in (" ".join(raw.split()) for raw in text.splitlines()):
        before = lines[-1] if lines else ""
        if before.endswith("-") and line[:1].islower():
            lines[-1] = before[:-1] + line
        elif line and len(before) > LINE and not re.search(r"[.:!?…]['\"”»)]?$", before):
            lines[-1] = f"{before} {line}"
        else:
            lines.append(line)
    return "\n".join(lines)
