"""Markdown and plain text."""

import re

from chat.reading.errors import Text, UnreadableError


def markdown(data: bytes) -> Text:
    text = decoded(data)
    found = re.search(r"^#\s+(.+?)\s*#*$", text, re.MULTILINE)
    return Text(found[1] if found else "", text)


def plain_text(data: bytes) -> Text:
    return Text("", decoded(data))


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or Windows' Western encoding, which older programs write."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise UnreadableError("This is not a text file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
