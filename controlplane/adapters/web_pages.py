"""Fetches a page of the public web that a stranger named, without reaching anything else by it.

A name is resolved once a hop; every address it has must be public, and the connection goes to the very address that
was checked, with the host's own name in `Host` and in TLS. So a name that changes its address meanwhile gains nothing.
"""

import asyncio
import dataclasses
import ipaddress
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urljoin

import httpx
from protego import Protego

from controlplane.adapters.public_addresses import Address, Resolver, is_public, resolve

AGENT = "StorefrontKnowledge"
USER_AGENT = f"{AGENT}/1.0"
MAX_BYTES = 2 * 1024 * 1024
MAX_ROBOTS = 500 * 1024
MAX_REDIRECTS = 5
SECONDS = 20.0
"""For all of it: names, connections, redirects, robots.txt, bodies."""

TYPES = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "application/pdf": ".pdf",
}  # fmt: skip


class PageError(Exception):
    """The page can't be had. The message is for the merchant and names no address of ours."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Page:
    """`kind` is the ending that says what `data` is (.html, .txt, .md, .pdf); `url` is where redirects led."""

    url: str
    kind: str
    data: bytes
    etag: str = ""
    last_modified: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Web:
    """`allows` decides on addresses, `resolver` finds them, `ports` may be connected to."""

    allows: Callable[[Address], bool] = is_public
    resolver: Resolver = resolve
    ports: frozenset[int] = frozenset({80, 443})
    seconds: float = SECONDS

    def fetch(self, url: str, *, etag: str = "", last_modified: str = "") -> Page | None:
        """The page; None if it is unchanged since the answer with these validators. Raises PageError."""
        known = {"If-None-Match": etag, "If-Modified-Since": last_modified}
        try:
            return asyncio.run(self._within_time(url, {name: value for name, value in known.items() if value}))
        except TimeoutError:
            raise PageError(f"The page took longer than {self.seconds:.0f} seconds.") from None

    async def _within_time(self, url: str, headers: Mapping[str, str]) -> Page | None:
        async with asyncio.timeout(self.seconds), _client() as client:
            return await self._follow(client, url, headers)

    async def _follow(self, client: httpx.AsyncClient, url: str, headers: Mapping[str, str]) -> Page | None:
        robots: dict[str, Protego | None] = {}
        for _ in range(MAX_REDIRECTS + 1):
            target = parsed(url, self.ports)
            origin = f"{target.scheme}://{target.netloc.decode('ascii')}"
            if origin not in robots:
                robots[origin] = await self._robots(client, origin)
            if (rules := robots[origin]) and not rules.can_fetch(str(target), AGENT):
                raise PageError("The site's robots.txt asks not to read this page.")
            reply, data = await self._get(client, target, headers, MAX_BYTES)
            if reply.status_code == 304:
                return None
            if not reply.is_redirect:
                return _page(str(target), reply, data)
            url = urljoin(str(target), reply.headers["location"])
        raise PageError("The page redirects too often.")

    async def _robots(self, client: httpx.AsyncClient, origin: str) -> Protego | None:
        """The site's rules; None if it has none. By RFC 9309 a site that can't say (5xx) means no."""
        url = f"{origin}/robots.txt"
        for _ in range(MAX_REDIRECTS + 1):
            reply, data = await self._get(client, parsed(url, self.ports), {}, MAX_ROBOTS)
            if reply.is_redirect:
                url = urljoin(url, reply.headers["location"])
                continue
            if reply.status_code >= 500:
                raise PageError("The site's robots.txt can't be read now.")
            return Protego.parse(data.decode("utf-8", "replace")) if reply.is_success else None
        return None

    async def _get(
        self, client: httpx.AsyncClient, url: httpx.URL, headers: Mapping[str, str], limit: int
    ) -> tuple[httpx.Response, bytes]:
        address = await self._address(url.host, url.port or (443 if url.scheme == "https" else 80))
        pinned = url.copy_with(host=f"[{address}]" if address.version == 6 else str(address))
        named = {"Host": url.netloc.decode("ascii"), **headers}
        request = client.build_request("GET", pinned, headers=named, extensions={"sni_hostname": url.raw_host.decode()})
        try:
            reply = await client.send(request, stream=True)
            try:
                return reply, await _body(reply, limit)
            finally:
                await reply.aclose()
        except httpx.HTTPError as error:
            raise PageError(f"The site could not be reached ({type(error).__name__}).") from None

    async def _address(self, host: str, port: int) -> Address:
        try:
            found = [ipaddress.ip_address(text) for text in await self.resolver(host, port)]
        except (OSError, ValueError, UnicodeError):
            found = []
        if not found:
            raise PageError("There is no site of this name.")
        if not all(self.allows(address) for address in found):
            raise PageError("This address does not belong to the public web.")
        return min(found, key=lambda address: address.version)  # IPv4 first: not every server has IPv6


def parsed(url: str, ports: frozenset[int]) -> httpx.URL:
    """The URL without its fragment. Raises PageError for what is no plain web address."""
    try:
        target = httpx.URL(url.strip()).copy_with(fragment=None)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise PageError("This is no valid web address.") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise PageError("A page's address begins with https:// or http://.")
    if target.userinfo:
        raise PageError("An address with a user name or password in it is not read.")
    if (target.port or (443 if target.scheme == "https" else 80)) not in ports:
        raise PageError("Pages are read from the web's usual ports only.")
    return target


def _client() -> httpx.AsyncClient:
    # trust_env: a proxy would resolve the name again, and go wherever that leads.
    return httpx.AsyncClient(
        timeout=httpx.Timeout(5.0), trust_env=False, follow_redirects=False,
        headers={"User-Agent": USER_AGENT, "Accept": ", ".join(TYPES), "Accept-Encoding": "gzip"},
    )  # fmt: skip


async def _body(reply: httpx.Response, limit: int) -> bytes:
    """At most `limit` bytes, unpacked here: a decoder that unpacks first and counts later could fill the memory."""
    if reply.is_redirect or reply.status_code == 304:
        return b""
    packed = reply.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip", "x-gzip", "deflate", ""):
        raise PageError("The site sends the page in a form that can't be unpacked.")
    unpack: Any = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if packed not in ("identity", "") else None
    body = bytearray()
    async for chunk in reply.aiter_raw():
        try:
            body += unpack.decompress(chunk, limit + 1 - len(body)) if unpack else chunk
        except zlib.error:
            raise PageError("The site sends the page in a form that can't be unpacked.") from None
        if len(body) > limit:
            raise PageError(f"The page is too large: at most {limit // 1024:,} KB are read.")
    return bytes(body)


def _page(url: str, reply: httpx.Response, data: bytes) -> Page:
    if not reply.is_success:
        raise PageError(f"The site answered with status {reply.status_code}.")
    kind = TYPES.get(reply.headers.get("content-type", "").partition(";")[0].strip().lower())
    if kind is None:
        raise PageError("Only web pages, plain text, Markdown and PDF are read from the web.")
    charset = reply.charset_encoding
    if kind == ".html" and charset:
        data = _recoded(data, charset)
    return Page(
        url=url, kind=kind, data=data, etag=reply.headers.get("etag", "")[:200],
        last_modified=reply.headers.get("last-modified", "")[:100],
    )  # fmt: skip


def _recoded(data: bytes, charset: str) -> bytes:
    try:
        return data.decode(charset, "replace").encode()
    except (LookupError, UnicodeError):
        return data
