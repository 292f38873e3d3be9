"""How custom hostnames live: validation by the vendor's schedule, certificates, what makes them stick or go.

Sources: developers.cloudflare.com/cloudflare-for-platforms/cloudflare-for-saas/domain-support/hostname-validation/
(backoff-schedule, validation-status, error-codes) and …/reference/troubleshooting/. A row moves when it is read.
"""

import math
import secrets
import uuid
from collections import deque
from typing import Any

from controlplane.localcloud.cloudflare.clock import Clock
from controlplane.localcloud.cloudflare.dns import Zones
from controlplane.localcloud.cloudflare.envelope import Refusal
from controlplane.localcloud.cloudflare.zone_store import ZoneStore

ATTEMPTS = 75
DAY = 86_400.0
RECHECK = 4 * 3600.0
CERTIFICATES_A_MINUTE = 15
PENALTY = 30.0
"""Seconds without new certificates for who asked for more than that."""
ISSUERS = {"letsencrypt.org", "pki.goog", "ssl.com"}

NO_CNAME = "custom hostname does not CNAME to this zone."
HELD = "The hostname is associated with a held zone. Please contact the owner of this domain to have the hold removed."
CAA = "caa_error: the CAA records of this domain do not allow the certificate authority to issue a certificate."
NOT_SERVED = "Certificate authority encountered an HTTP error: the validation token could not be retrieved."

Row = dict[str, Any]


def wait(attempt: int) -> float:
    """Seconds until the next check of a hostname or certificate."""
    base = 1.05 if attempt < 10 else 1.15
    return min(math.floor(60 * base**attempt), RECHECK)


class CertificatePace:
    """Fifteen new certificates a minute; only successful requests count, then thirty seconds of nothing."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._taken: deque[float] = deque()
        self._blocked_until = 0.0

    def check(self) -> None:
        now = self._clock.now()
        while self._taken and now - self._taken[0] >= 60:
            self._taken.popleft()
        if len(self._taken) >= CERTIFICATES_A_MINUTE:
            self._blocked_until = now + PENALTY
            self._taken.clear()
        if now < self._blocked_until:
            left = math.ceil((self._blocked_until - now) / self._clock.speed)
            raise Refusal(429, 10429, "The certificate issuance rate limit is reached.", retry_after=left)

    def count(self) -> None:
        self._taken.append(self._clock.now())


class Saas:
    """All custom hostnames of the zone."""

    def __init__(self, store: ZoneStore, zones: Zones, clock: Clock, *, allocated: int, hard_cap: int) -> None:
        self.store, self.zones, self.clock = store, zones, clock
        self.allocated, self.hard_cap = allocated, hard_cap
        self.held: set[str] = set()  # registered domains whose owners hold them
        self.pace = CertificatePace(clock)

    def create(self, host: str, ssl: Row) -> Row:
        self.pace.check()
        if self.store.count() >= self.hard_cap:
            raise Refusal(403, 1405, "Quota exceeded.")
        if (known := self.store.hostname(host=host)) and self._moved_on(known):
            raise Refusal(409, 1406, "Duplicate custom hostname found.")
        now = self.clock.now()
        row = {
            "id": str(uuid.uuid4()), "hostname": host, "created_at": now, "status": "pending", "errors": [],
            "token": str(uuid.uuid4()), "attempts": 0, "next_at": now + 1,
            "method": ssl["method"], "ssl": "initializing", "ssl_errors": [], "ssl_attempts": 0, "ssl_next_at": now + 3,
            "ssl_token": secrets.token_urlsafe(16),
        }  # fmt: skip
        self.store.save([row])
        self.pace.count()
        return row

    def read(self, rows: list[Row]) -> list[Row]:
        """The rows as they are by now; those that are gone by now are left out."""
        before = [dict(row) for row in rows]
        alive = [row for row in rows if self._moved_on(row)]
        if changed := [row for row in alive if row not in before]:
            self.store.save(changed)
        return alive

    def settle(self) -> None:
        """Moves every row to now: before a change of DNS, which must not reach into the past."""
        self.read(self.store.hostnames(-1, 0))

    def restart(self, row: Row) -> Row:
        """What a PATCH with the same `ssl` does: validation begins anew, from any state."""
        now = self.clock.now()
        row.pop("forced", None)
        if row["status"] != "active":
            row |= {"status": "pending", "attempts": 0, "next_at": now + 1, "errors": []}
        if row["ssl"] != "active":
            row |= {"ssl": "pending_validation", "ssl_attempts": 0, "ssl_next_at": now + 3, "ssl_errors": []}
        self.store.save([row])
        return row

    def force(self, row: Row, status: str, ssl: str, errors: list[str]) -> None:
        """The developer's word on a hostname, until a restart."""
        row |= {"forced": True, "status": status or row["status"], "ssl": ssl or row["ssl"], "errors": errors}
        self.store.save([row])

    def _moved_on(self, row: Row) -> bool:
        """Moves the row to now; False if it is deleted by now."""
        now = self.clock.now()
        if not row.get("forced"):
            while row["next_at"] <= now and row["status"] in ("pending", "active"):
                self._validate(row)
            while row["ssl_next_at"] <= now and row["ssl"] not in ("active", "validation_timed_out"):
                self._certify(row)
        if row["status"] == "moved" and row.setdefault("moved_at", now) + 7 * DAY <= now:
            self.store.delete(row["id"])
            return False
        return True

    def _validate(self, row: Row) -> None:
        at = row["next_at"]
        host = row["hostname"]
        if any(host == held or host.endswith(f".{held}") for held in self.held):
            row |= {"status": "blocked", "errors": [HELD]}
        elif self.zones.points_at_us(host) or row["token"] in self.zones.texts(f"_cf-custom-hostname.{host}"):
            row |= {"status": "active", "errors": [], "attempts": 0, "next_at": at + RECHECK}
            row.pop("moved_at", None)
        elif row["status"] == "active" or row["attempts"] >= ATTEMPTS:
            row |= {"status": "moved", "errors": [NO_CNAME], "moved_at": at}
        else:
            row |= {"errors": [NO_CNAME], "next_at": at + wait(row["attempts"]), "attempts": row["attempts"] + 1}

    def _certify(self, row: Row) -> None:
        at = row["ssl_next_at"]
        steps = {"initializing": ("pending_validation", 2), "pending_issuance": ("pending_deployment", 15),
                 "pending_deployment": ("active", 0)}  # fmt: skip
        if row["ssl"] in steps:
            status, seconds = steps[row["ssl"]]
            row |= {"ssl": status, "ssl_next_at": at + seconds}
            return
        issuers = self.zones.issuers(row["hostname"])
        if issuers is not None and not issuers & ISSUERS:
            problem = CAA
        elif not self.zones.points_at_us(row["hostname"]):
            problem = NOT_SERVED
        else:
            row |= {"ssl": "pending_issuance", "ssl_errors": [], "ssl_next_at": at + 10}
            return
        if row["ssl_attempts"] >= ATTEMPTS:
            row |= {"ssl": "validation_timed_out", "ssl_errors": [problem]}
        else:
            later = at + wait(row["ssl_attempts"])
            row |= {"ssl_errors": [problem], "ssl_next_at": later, "ssl_attempts": row["ssl_attempts"] + 1}
