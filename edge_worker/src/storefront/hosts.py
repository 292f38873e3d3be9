"""Host → record → shop: the one place where a request becomes a tenant's."""

import dataclasses
import logging

from starlette.requests import Request

from storefront.bindings import BindingError, Env, variable
from storefront.documents import ACTIVE, CLOSED, DocumentError, DomainRecord, domain_key, normalise_host

log = logging.getLogger("storefront")


class NoShopError(Exception):
    """There is no shop to show. `kind` names the message, `status` the HTTP status."""

    def __init__(self, kind: str, status: int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shop:
    """An active tenant's record and the public address it is shown under."""

    record: DomainRecord
    origin: str
    env: Env


async def shop_of(request: Request) -> Shop:
    """The shop of the request's host, by one KV read a request. Raises NoShopError.

    Status: 400 for a host that can't be one, 404 for an unknown one, 451 for a tenant that moderation took
    offline, 410 for one that closed for good, 503 where the record can't be read now (crawlers come back).
    """
    known: Shop | None = getattr(request.state, "shop", None)
    if known is None:
        known = await _read(request)
        request.state.shop = known
    return known


async def _read(request: Request) -> Shop:
    try:
        host = normalise_host(request.headers.get("host", ""))
    except ValueError:
        raise NoShopError("malformed_host", 400) from None
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
        raise NoShopError("closed", 410) if record.tenant.status == CLOSED else NoShopError("suspended", 451)
    return Shop(record=record, origin=_origin(env, record.canonical_host or host), env=env)


def _origin(env: Env, host: str) -> str:
    port = variable(env, "PUBLIC_PORT")
    return f"{variable(env, 'PUBLIC_SCHEME', 'https')}://{host}{':' + port if port else ''}"
