"""Host → record → shop: the one place where a request becomes a tenant's."""

import dataclasses
import logging
from urllib.parse import quote

from starlette.requests import Request

from storefront.bindings import BindingError, Env, variable
from storefront.documents import (
    ACTIVE,
    CLOSED,
    SUSPENDED,
    UNCONNECTED,
    DocumentError,
    DomainRecord,
    domain_key,
    normalise_host,
)

log = logging.getLogger("storefront")


class NoShopError(Exception):
    """There is no shop to show. `kind` names the message, `status` the HTTP status."""

    def __init__(self, kind: str, status: int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status


class MovedError(Exception):
    """The shop lives under another host: `url` is the same page there."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


# What a record says that shows no shop: the message's kind and the HTTP status.
_NO_SHOP = {CLOSED: ("closed", 410), SUSPENDED: ("suspended", 451), UNCONNECTED: ("unconnected", 404)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shop:
    """An active tenant's record and the public address it is shown under."""

    record: DomainRecord
    origin: str
    env: Env


async def shop_of(request: Request) -> Shop:
    """The shop of the request's host, by one KV read a request. Raises NoShopError, or MovedError for a redirect.

    Status: 400 for a host that can't be one, 404 for an unknown or not yet connected one, 451 for a tenant that
    moderation took offline, 410 for one that closed for good, 503 where the record can't be read now (crawlers come
    back).
    """
    known: Shop | None = getattr(request.state, "shop", None)
    if known is None:
        known = await _read(request)
        request.state.shop = known
    return known


def host_of(request: Request) -> str:
    """The one host that the request names, normalised. Raises NoShopError where it names none or several.

    A request line in absolute form names a host of its own (RFC 9112, 3.2.2), and two Host headers leave it to the
    reader which one counts: whoever sends either wants two parts of the path to disagree.
    """
    named = request.headers.getlist("host")
    if len(named) != 1 or not request.scope["path"].startswith("/"):
        raise NoShopError("malformed_host", 400)
    try:
        return normalise_host(named[0])
    except ValueError:
        raise NoShopError("malformed_host", 400) from None


async def _read(request: Request) -> Shop:
    host = host_of(request)
    env: Env = request.scope["env"]
    try:
        value = await env.KV.get(domain_key(host))
    except BindingError as error:
        log.error("KV can't be read: %s", error)
        raise NoShopError("unavailable", 503) from error
    if value is None:
        raise NoShopError("unknown_host", 404)
    try:
        record = DomainRecord.from_json(value)
    except DocumentError as error:
        log.error("the record of %s can't be read: %s", host, error)
        raise NoShopError("updating", 503) from error
    if record.tenant.status != ACTIVE:
        raise NoShopError(*_NO_SHOP.get(record.tenant.status, ("suspended", 451)))
    if (target := _host_or_none(record.redirect_to)) and target != host:
        raise MovedError(_origin(env, target) + _target(request))
    return Shop(record=record, origin=_origin(env, record.canonical_host or host), env=env)


def _host_or_none(text: str) -> str | None:
    try:
        return normalise_host(text) if text else None
    except ValueError:
        return None


def _target(request: Request) -> str:
    """Path and query as they were sent, escapes and all; never `//`, which would name another host."""
    path = (request.scope.get("raw_path") or quote(request.scope["path"]).encode()).partition(b"?")[0]
    query = request.scope.get("query_string", b"")
    return "/" + (path + (b"?" + query if query else b"")).decode("latin-1").lstrip("/")


def _origin(env: Env, host: str) -> str:
    port = variable(env, "PUBLIC_PORT")
    return f"{variable(env, 'PUBLIC_SCHEME', 'https')}://{host}{':' + port if port else ''}"
