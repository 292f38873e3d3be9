"""Host → record → shop: the one place where a request becomes a tenant's."""

import asyncio
import dataclasses
import logging
from urllib.parse import quote

from starlette.requests import Request

from storefront import kept
from storefront.bindings import BindingError, Env, Kept, variable
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
    """An active tenant's record and the public address it is shown under.

    `host` is the one that was asked, normalised, and `value` the record as KV had it. `stale` is "" or says why the
    record is one that was kept: KV is away.
    """

    record: DomainRecord
    origin: str
    env: Env
    host: str = ""
    value: str = dataclasses.field(default="", repr=False)
    stale: str = ""

    @property
    def settled(self) -> bool:
        """Whether Instant surely has what the record says of the catalogue (see kept.SETTLED)."""
        return kept.now() - self.record.catalog_changed_at > kept.SETTLED


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
    value, stale = await _value_of(env, host)
    try:
        return _shop(request, env, host, value, stale)
    except (NoShopError, MovedError):
        if not stale:
            kept.forget_record(env, host)
        raise


async def _value_of(env: Env, host: str) -> tuple[str | None, str]:
    """What KV holds for the host and ""; while KV is away or slow, what it last held, for a while, and why."""

    async def instead() -> Kept | None:
        return await kept.look(env, kept.record_key(host), within=kept.STALE)

    def heeded(late: "asyncio.Future[str | None]") -> None:
        env.DEFER(_heed(env, host, late))

    try:
        value = await kept.or_kept(
            env.KV.get(domain_key(host)), instead, store="KV", failures=(BindingError,), late=heeded
        )
    except BindingError as error:
        log.error("KV can't be read: %s", error)
        raise NoShopError("unavailable", 503) from error
    return (value.kept.text, value.why) if isinstance(value, kept.Instead) else (value, "")


async def _heed(env: Env, host: str, late: "asyncio.Future[str | None]") -> None:
    """KV was slow and did answer: what it says of a shop that is gone holds from the next request on."""
    try:
        value = await late
        shown = value is not None and DomainRecord.from_json(value).tenant.status == ACTIVE
    except (BindingError, DocumentError):
        return
    if not shown:
        kept.forget_record(env, host)


def _shop(request: Request, env: Env, host: str, value: str | None, stale: str) -> Shop:
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
    origin = _origin(env, record.canonical_host or host)
    return Shop(record=record, origin=origin, env=env, host=host, value=value, stale=stale)


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
