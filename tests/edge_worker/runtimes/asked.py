"""One request and its answer, the same for every runtime."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Protocol
from urllib.parse import urlsplit

RAY = "8f0000000000abcd-TST"
"""Cloudflare's id of the request, which the Worker repeats: without it each answer would have an id of its own."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """`host` is the Host header where it is not the URL's; `variables` change the Worker's for this request only.
    `cache` names what a former request has kept; "" finds nothing kept."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    host: str | None = None
    body: bytes = b""
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    kv_is_down: bool = False
    cache: str = ""

    @property
    def sent_headers(self) -> list[tuple[str, str]]:
        host = urlsplit(self.url).netloc if self.host is None else self.host
        return [("host", host), ("cf-ray", RAY), *self.headers.items()]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """An answer whose head is there; `parts` are the pieces of its body as they come, then deferred work is done."""

    status: int
    headers: list[tuple[str, str]]
    parts: Iterator[bytes]

    def whole(self) -> "Whole":
        parts = [part for part in self.parts if part]
        return Whole(status=self.status, headers=sorted(self.headers), body=b"".join(parts), parts=len(parts))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Whole:
    """An answer, wholly read."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    parts: int

    @property
    def text(self) -> str:
        return self.body.decode()

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def comparable(self) -> tuple[int, list[tuple[str, str]], str]:
        """Status, headers and body without what may differ: see MAY_DIFFER."""
        text = self.text
        for pattern, name in MAY_DIFFER:
            text = re.sub(pattern, name, text)
        return self.status, [(name, _same(name, value)) for name, value in self.headers], text


MAY_DIFFER = ((r'"turn":"[0-9a-f-]{36}"', '"turn":"…"'),)
"""What is not the same from one run to the next: a chat turn's id, made of the time and of chance. Of the headers two
are not: Cache-Status's `ttl` counts seconds, and Allow is a set, whose order is each process's own."""


def _same(name: str, value: str) -> str:
    if name == "allow":
        return ", ".join(sorted(value.split(", ")))
    return re.sub(r"ttl=-?\d+", "ttl=…", value) if name == "cache-status" else value


class Runtime(Protocol):
    """The Worker, somewhere."""

    name: str

    def ask(self, asked: Asked) -> Told: ...
