"""DOCX, by python-docx."""

import io
import re
import zipfile
from collections.abc import Iterable

import docx as python_docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from chat.reading.errors import Text, UnreadableError

MAX_UNPACKED = 60 * 1024 * 1024
MAX_XML = 20 * 1024 * 1024
MAX_ENTRIES = 2_000


def docx(data: bytes) -> Text:
    check_archive(data)
    try:
        document = python_docx.Document(io.BytesIO(data))
        return Text("", "\n\n".join(_blocks(document.iter_inner_content())))
    except MemoryError:
        raise
    except Exception as error:  # a broken file may raise anything
        raise UnreadableError(f"The document is damaged or no DOCX ({type(error).__name__}).") from None


def check_archive(data: bytes) -> None:
    """Refuses a bomb before anything is unpacked. The sizes that an archive declares are binding: zipfile reads no
    byte beyond them."""
    try:
        entries = zipfile.ZipFile(io.BytesIO(data)).infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError):
        raise UnreadableError("This is not a DOCX, whatever its name says.") from None
    xml = sum(entry.file_size for entry in entries if entry.filename.endswith((".xml", ".rels")))
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_ENTRIES or unpacked > MAX_UNPACKED or xml > MAX_XML:
        raise UnreadableError("The document unpacks to far more than a text could be. Copy its text into a new one.")


def _blocks(blocks: Iterable[Paragraph | Table]) -> Iterable[str]:
    items: list[str] = []
    for block in blocks:
        text = _table(block) if isinstance(block, Table) else _paragraph(block)
        if text.startswith("- "):
            items.append(text)
            continue
        if items:
            yield "\n".join(items)
            items = []
        if text:
            yield text
    if items:
        yield "\n".join(items)


def _paragraph(paragraph: Paragraph) -> str:
    text = " ".join(paragraph.text.split())
    style = (paragraph.style.name or "").casefold() if paragraph.style else ""
    heading = re.fullmatch(r"heading ([1-6])", style)
    if not text:
        return ""
    if heading or style == "title":
        return f"{'#' * int(heading[1] if heading else 1)} {text}"
    return f"- {text}" if style.startswith("list") else text


def _table(table: Table) -> str:
    """A Markdown table; its first row is its head."""
    rows = [[" ".join(cell.text.split()).replace("|", "/") for cell in row.cells] for row in table.rows]
    if not rows:
        return ""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * len(rows[0]), *lines[1:]])
