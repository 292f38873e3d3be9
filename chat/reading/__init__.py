"""Files and web pages as Markdown. Pure: no Django, no network, no file system.

What comes in was made by strangers, so a worker reads it in a process of its own: `apart.read_apart`.
"""

from chat.reading.errors import Text, UnreadableError
from chat.reading.formats import FILE_TYPES, MAX_BYTES, read

__all__ = ["FILE_TYPES", "MAX_BYTES", "Text", "UnreadableError", "read"]
