"""Cloudflare for SaaS: the custom hostnames of our zone, with the certificates that Cloudflare gets for them."""

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import httpx

from controlplane.adapters.cloudflare_errors import client, result, translated
from controlplane.adapters.errors import AdapterError

WHAT = "Cloudflare"
PER_PAGE = 50
"""The most that the list gives a page (developers.cloudflare.com/api/resources/custom_hostnames/methods/list/)."""

# Codes: developers.cloudflare.com/cloudflare-for-platforms/cloudflare-for-saas/reference/status-codes/custom-hostnames/
DUPLICATE = 1406
OVER_QUOTA = {1404, 1405}
BAD_NAME = {1407, 1408, 1409, 1410, 1411, 1448, 1469}
LONGEST_COMMON_NAME = 64
"""Characters of a certificate's common name (RFC 5280); a longer host needs Cloudflare's own name there."""


class DuplicateHostnameError(AdapterError):
    """Our zone has this hostname already: a request of ours whose answer was lost, or a left-over."""


class QuotaError(AdapterError):
    """The zone may not hold more hostnames; the merchant can't do anything about it."""


class BadHostnameError(AdapterError):
    """Cloudflare never takes this name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hostname:
    """What Cloudflare says of one hostname: two statuses that move separately, and why they do not."""

    id: str
    host: str
    status: str
    ssl_status: str
    errors: tuple[str, ...] = ()
    ownership_name: str = ""
    ownership_value: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quota:
    """`allocated` is what is paid for, `hard_cap` where Cloudflare refuses."""

    used: int
    allocated: int
    hard_cap: int


class CustomHostnames:
    """The hostnames of one zone. All methods raise AdapterError and may be repeated."""

    def __init__(self, *, base_url: str, api_token: str, zone_id: str, http_client: httpx.Client | None = None) -> None:
        self._sdk = client(base_url, api_token, http_client)
        self._zone = zone_id

    def close(self) -> None:
        self._sdk.close()

    def create(self, host: str) -> Hostname:
        """Asks for the hostname and its certificate, validated over HTTP as soon as the host points at us.

        Raises DuplicateHostnameError, QuotaError, BadHostnameError, or a passing AdapterError (429: the pace).
        """
        ssl: Any = {"method": "http", "type": "dv", "settings": {"min_tls_version": "1.2", "http2": "on"}}
        if len(host) > LONGEST_COMMON_NAME:
            ssl["cloudflare_branding"] = True
        try:
            with translated(WHAT):
                raw = self._sdk.custom_hostnames.with_raw_response.create(zone_id=self._zone, hostname=host, ssl=ssl)
                return _hostname(result(raw))
        except AdapterError as error:
            raise _named(error) from error

    def find(self, host: str) -> Hostname | None:
        """The hostname by its name."""
        with translated(WHAT):
            raw = self._sdk.custom_hostnames.with_raw_response.list(zone_id=self._zone, hostname={"exact": host})
            found = [_hostname(one) for one in result(raw).result]
        return next((one for one in found if one.host == host), None)

    def get(self, id_: str) -> Hostname | None:
        """None where Cloudflare has deleted it: it does so after a week without a DNS record that points at us."""
        try:
            with translated(WHAT):
                raw = self._sdk.custom_hostnames.with_raw_response.get(id_, zone_id=self._zone)
                return _hostname(result(raw))
        except AdapterError as error:
            if _status(error) == 404:
                return None
            raise

    def refresh(self, id_: str) -> Hostname | None:
        """Starts validation anew: the only way out of "moved", "blocked" and certificates that timed out."""
        ssl: Any = {"method": "http", "type": "dv"}
        try:
            with translated(WHAT):
                raw = self._sdk.custom_hostnames.with_raw_response.edit(id_, zone_id=self._zone, ssl=ssl)
                return _hostname(result(raw))
        except AdapterError as error:
            if _status(error) == 404:
                return None
            raise

    def delete(self, id_: str) -> None:
        """Removes the hostname and its certificate; one that is gone already is fine."""
        try:
            with translated(WHAT):
                self._sdk.custom_hostnames.delete(id_, zone_id=self._zone)
        except AdapterError as error:
            if _status(error) != 404:
                raise

    def page(self, number: int) -> list[Hostname]:
        """The `number`th PER_PAGE hostnames, from 1."""
        with translated(WHAT):
            raw = self._sdk.custom_hostnames.with_raw_response.list(zone_id=self._zone, page=number, per_page=PER_PAGE)
            return [_hostname(one) for one in result(raw).result]

    def pages(self) -> Iterator[list[Hostname]]:
        """Every hostname, PER_PAGE a request."""
        for number in itertools.count(1):
            page = self.page(number)
            if page:
                yield page
            if len(page) < PER_PAGE:
                return

    def quota(self) -> Quota:
        with translated(WHAT):
            found = result(self._sdk.custom_hostnames.quota.with_raw_response.get(zone_id=self._zone))
            if found is None:
                raise ValueError("a success without a result")
            return Quota(used=found.used, allocated=found.allocated, hard_cap=found.hard_cap)


def _hostname(raw: Any) -> Hostname:
    """Raises AttributeError or TypeError where the answer is none, which `translated` makes "can't be read"."""
    ssl, ownership = raw.ssl, raw.ownership_verification
    problems = [str(one) for one in raw.verification_errors or ()]
    problems += [str(one.message) for one in (ssl.validation_errors if ssl else None) or () if one.message]
    return Hostname(
        id=raw.id,
        host=raw.hostname,
        status=raw.status or "",
        ssl_status=(ssl.status if ssl else None) or "",
        errors=tuple(problems),
        ownership_name=(ownership.name if ownership else None) or "",
        ownership_value=(ownership.value if ownership else None) or "",
    )


def _status(error: AdapterError) -> int | None:
    return getattr(error.__cause__, "status_code", None)


def _named(error: AdapterError) -> AdapterError:
    codes = {getattr(one, "code", None) for one in getattr(error.__cause__, "errors", None) or ()}
    if DUPLICATE in codes:
        return DuplicateHostnameError(error.message, permanent=False)
    if codes & OVER_QUOTA:
        return QuotaError(error.message, permanent=False, retry_after=600)
    if codes & BAD_NAME:
        return BadHostnameError(error.message, permanent=True)
    return error
