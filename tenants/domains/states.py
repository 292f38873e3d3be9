"""What state a domain is in, what each of the vendor's statuses means, and what comes next.

No database and no network here: `decide` takes what is known and what was seen, and says what comes next.
"""

import dataclasses
import enum
from datetime import datetime, timedelta
from typing import Literal

EXPIRES_AFTER = timedelta(days=30)
"""A claim that does not work by then is given up: pending hostnames count against the quota."""
GRACE = timedelta(days=7)
"""How long a live domain that points away is still served."""


class State:
    """`Domain.state`. From UNPROVEN down to LIVE is the way in; STRAYING and below is the way out."""

    UNPROVEN = "unproven"
    PROVEN = "proven"
    ISSUING = "issuing"
    LIVE = "live"
    STRAYING = "straying"
    STOPPED = "stopped"
    EXPIRED = "expired"
    REMOVING = "removing"

    CHOICES = (
        (UNPROVEN, "Waiting for the TXT record"),
        (PROVEN, "Proven, waiting for a certificate"),
        (ISSUING, "Getting its certificate"),
        (LIVE, "Live"),
        (STRAYING, "Live, but points away"),
        (STOPPED, "Stopped"),
        (EXPIRED, "Given up"),
        (REMOVING, "Being removed"),
    )


PROVEN_STATES = frozenset((State.PROVEN, State.ISSUING, State.LIVE, State.STRAYING))
OVER = frozenset((State.STOPPED, State.EXPIRED))
"""States that only the merchant leads out of; nothing is held at the vendor any more."""


class Pointing(enum.Enum):
    """Where the host's own DNS leads. UNKNOWN: we could not ask, which is never bad news."""

    HERE = "here"
    ELSEWHERE = "elsewhere"
    NOWHERE = "nowhere"
    UNKNOWN = "unknown"


class Meaning(enum.Enum):
    """What one of the vendor's statuses means for a domain."""

    ACTIVE = "active"
    WAITING = "waiting"  # the vendor works on it, or waits for DNS
    RESTART = "restart"  # stuck until we ask for validation anew
    BLOCKED = "blocked"  # stuck until the merchant clears it elsewhere
    GONE = "gone"


HOSTNAME_MEANING: dict[str, Meaning] = {
    "active": Meaning.ACTIVE,
    "active_redeploying": Meaning.ACTIVE,
    "pending": Meaning.WAITING,
    "pending_migration": Meaning.WAITING,
    "pending_provisioned": Meaning.WAITING,
    "provisioned": Meaning.WAITING,
    "test_pending": Meaning.WAITING,
    "test_active": Meaning.WAITING,
    "test_active_apex": Meaning.WAITING,
    "test_failed": Meaning.RESTART,
    "moved": Meaning.RESTART,
    "pending_blocked": Meaning.BLOCKED,
    "blocked": Meaning.BLOCKED,
    "test_blocked": Meaning.BLOCKED,
    "pending_deletion": Meaning.GONE,
    "deleted": Meaning.GONE,
}
"""All sixteen of developers.cloudflare.com/api/resources/custom_hostnames/ `status`."""

CERTIFICATE_MEANING: dict[str, Meaning] = {
    "active": Meaning.ACTIVE,
    "staging_active": Meaning.ACTIVE,
    "backup_issued": Meaning.ACTIVE,
    "pending_expiration": Meaning.ACTIVE,
    "initializing": Meaning.WAITING,
    "pending_validation": Meaning.WAITING,
    "pending_issuance": Meaning.WAITING,
    "pending_deployment": Meaning.WAITING,
    "staging_deployment": Meaning.WAITING,
    "holding_deployment": Meaning.WAITING,
    "pending_cleanup": Meaning.WAITING,
    "deactivating": Meaning.WAITING,
    "initializing_timed_out": Meaning.RESTART,
    "validation_timed_out": Meaning.RESTART,
    "issuance_timed_out": Meaning.RESTART,
    "deployment_timed_out": Meaning.RESTART,
    "expired": Meaning.RESTART,
    "inactive": Meaning.RESTART,
    "pending_deletion": Meaning.RESTART,
    "deletion_timed_out": Meaning.RESTART,
    "deleted": Meaning.RESTART,
}
"""All twenty-one of `ssl.status` there."""


def meaning(table: dict[str, Meaning], status: str) -> Meaning:
    """A status that the vendor invents tomorrow is something to wait for, neither success nor failure."""
    return table.get(status, Meaning.WAITING)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Vendor:
    """What the vendor answered about a domain's hostname; `found` is False where it has none of that id."""

    found: bool = True
    status: str = ""
    ssl_status: str = ""
    errors: tuple[str, ...] = ()

    @property
    def hostname(self) -> Meaning:
        return meaning(HOSTNAME_MEANING, self.status) if self.found else Meaning.GONE

    @property
    def certificate(self) -> Meaning:
        return meaning(CERTIFICATE_MEANING, self.ssl_status)

    @property
    def works(self) -> bool:
        return self.hostname is Meaning.ACTIVE and self.certificate is Meaning.ACTIVE

    @property
    def forbidden_by_caa(self) -> bool:
        return any("caa" in error.lower() for error in self.errors)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """What one look at the world showed. None: could not ask, or had no need to."""

    has_token: bool | None = None
    pointing: Pointing = Pointing.UNKNOWN
    vendor: Vendor | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Known:
    """What the database says of a domain. `waiting_since` is when the claim began, or began anew."""

    state: str
    waiting_since: datetime
    was_live: bool = False
    away_since: datetime | None = None


Action = Literal["", "prove", "refresh", "release"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """Where a domain goes. `action` must succeed first; until it does, the domain stays where it is.

    prove: lock the host for this shop. refresh: start validation anew. release: give the hostname back, then
    withdraw the proof.
    """

    state: str
    reason: str
    action: Action = ""


def decide(known: Known, seen: Seen, now: datetime) -> Step:
    """The next step. What could not be asked changes nothing but the words.

    A proven domain without a hostname is not decided here: it waits for its turn (tenants.domains.issuing).
    """
    handler = {
        State.UNPROVEN: _unproven,
        State.ISSUING: _issuing,
        State.LIVE: _live,
        State.STRAYING: _straying,
        State.REMOVING: _removing,
    }.get(known.state)
    if handler is None:
        return Step(state=known.state, reason=known.state)
    return handler(known, seen, now)


def _unproven(known: Known, seen: Seen, now: datetime) -> Step:
    if seen.has_token is None:
        return Step(state=State.UNPROVEN, reason="cant_ask")
    if seen.has_token:
        return Step(state=State.PROVEN, reason="queued", action="prove")
    if now - known.waiting_since >= EXPIRES_AFTER:
        return Step(state=State.EXPIRED, reason="expired", action="release")
    return Step(state=State.UNPROVEN, reason="add_txt")


def _issuing(known: Known, seen: Seen, now: datetime) -> Step:
    vendor = seen.vendor
    if vendor is None:
        return Step(state=State.ISSUING, reason="cant_ask")
    if vendor.works:
        return Step(state=State.LIVE, reason="live")
    if known.was_live and _is_away(seen):
        return Step(state=State.STRAYING, reason="away")
    if (
        not known.was_live
        and now - known.waiting_since >= EXPIRES_AFTER
        and seen.pointing in (Pointing.ELSEWHERE, Pointing.NOWHERE)
    ):
        return Step(state=State.EXPIRED, reason="expired", action="release")
    if vendor.hostname is Meaning.GONE:
        return Step(state=State.PROVEN, reason="queued")
    if vendor.hostname is Meaning.BLOCKED:
        return Step(state=State.ISSUING, reason="blocked", action="refresh")
    stuck = Meaning.RESTART in (vendor.hostname, vendor.certificate)
    if stuck and seen.pointing is Pointing.HERE:
        return Step(state=State.ISSUING, reason="restarted", action="refresh")
    return Step(state=State.ISSUING, reason=_issuing_reason(seen, vendor))


def _issuing_reason(seen: Seen, vendor: Vendor) -> str:
    if seen.pointing in (Pointing.ELSEWHERE, Pointing.NOWHERE) and vendor.hostname is not Meaning.ACTIVE:
        return _pointing_reason(seen.pointing)
    if vendor.forbidden_by_caa:
        return "caa"
    return "certificate" if vendor.hostname is Meaning.ACTIVE else _pointing_reason(seen.pointing)


def _pointing_reason(pointing: Pointing) -> str:
    return {Pointing.NOWHERE: "add_cname", Pointing.ELSEWHERE: "wrong_cname"}.get(pointing, "validating")


def _live(known: Known, seen: Seen, now: datetime) -> Step:
    if _is_away(seen):
        return Step(state=State.STRAYING, reason="away")
    vendor = seen.vendor
    if vendor is not None and vendor.hostname is Meaning.GONE:
        # Still proven and still ours: only the vendor's side is made anew. The record stays as it is.
        return Step(state=State.PROVEN, reason="queued")
    if vendor is None or vendor.works:
        return Step(state=State.LIVE, reason="live")
    if vendor.hostname is Meaning.BLOCKED:
        return Step(state=State.LIVE, reason="blocked", action="refresh")
    if Meaning.RESTART in (vendor.hostname, vendor.certificate):
        reason = "cant_ask" if seen.pointing is Pointing.UNKNOWN else "renewing"
        return Step(state=State.LIVE, reason=reason, action="refresh")
    return Step(state=State.LIVE, reason="caa" if vendor.forbidden_by_caa else "renewing")


def _is_away(seen: Seen) -> bool:
    """Whether visitors no longer reach us by this host: our own look-up says so, and nothing speaks against it.

    Behind another proxy the look-up sees that proxy's addresses. The vendor that still serves it, and the token
    still in the zone, say together that the owner wants it so.
    """
    if seen.pointing not in (Pointing.ELSEWHERE, Pointing.NOWHERE):
        return False
    if seen.vendor is None or seen.has_token is None:
        return False
    return not (seen.vendor.works and seen.has_token)


def _straying(known: Known, seen: Seen, now: datetime) -> Step:
    if _is_away(seen):
        if known.away_since is not None and now - known.away_since >= GRACE:
            return Step(state=State.STOPPED, reason="stopped", action="release")
        return Step(state=State.STRAYING, reason="away")
    if seen.pointing is Pointing.HERE or (seen.vendor is not None and seen.vendor.works and seen.has_token):
        return _live(known, seen, now)
    return Step(state=State.STRAYING, reason="away")


def _removing(known: Known, seen: Seen, now: datetime) -> Step:
    return Step(state=State.REMOVING, reason="removing", action="release")


FIRST_LOOKS = ((timedelta(minutes=10), 20.0), (timedelta(hours=1), 60.0), (timedelta(days=1), 600.0))
"""Up to this age of the present state, so many seconds between two looks."""


def seconds_until_next(state: str, reason: str, age: timedelta) -> float:
    """Fast at first, slower later; live domains once a day. Without jitter: the caller adds it."""
    if state in OVER:
        return 86_400.0
    if state == State.LIVE and reason == "live":
        return 86_400.0
    if state == State.STRAYING:
        return 3600.0
    for until, seconds in FIRST_LOOKS:
        if age < until:
            return max(seconds, 600.0) if reason == "blocked" else seconds
    return 3600.0
