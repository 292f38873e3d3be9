"""The state machine under random answers, delays, crashes and merchants: three promises that must always hold."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controlplane.adapters.custom_hostnames import DuplicateHostnameError, Hostname, QuotaError
from controlplane.adapters.errors import AdapterError
from tenants.domains.looking import Answers, Budget
from tenants.domains.reconciling import Run
from tenants.domains.states import (
    CERTIFICATE_MEANING,
    GRACE,
    HOSTNAME_MEANING,
    OVER,
    PROVEN_STATES,
    Known,
    Meaning,
    Pointing,
    Seen,
    State,
    Vendor,
    decide,
)
from tenants.domains.words import WORDS
from tenants.models import Domain, Tenant

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STATES = [value for value, _ in State.CHOICES]

vendors = st.none() | st.builds(
    Vendor,
    found=st.booleans(),
    status=st.sampled_from([*HOSTNAME_MEANING, "", "invented_tomorrow"]),
    ssl_status=st.sampled_from([*CERTIFICATE_MEANING, "", "invented_tomorrow"]),
    errors=st.sampled_from([(), ("caa_error: not allowed",), ("custom hostname does not CNAME to this zone.",)]),
)
looks = st.builds(Seen, has_token=st.none() | st.booleans(), pointing=st.sampled_from(Pointing), vendor=vendors)
ages = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=60))


def test_every_status_that_the_sdk_knows_has_a_meaning() -> None:
    from typing import get_args

    from cloudflare.types.custom_hostnames.custom_hostname_get_response import SSL, CustomHostnameGetResponse

    def literals(model: Any) -> set[str]:
        hint = model.model_fields["status"].annotation
        return {value for part in get_args(hint) for value in get_args(part)}

    assert set(HOSTNAME_MEANING) == literals(CustomHostnameGetResponse)
    assert len(HOSTNAME_MEANING) == 16
    assert set(CERTIFICATE_MEANING) == literals(SSL)


def test_a_status_of_tomorrow_is_neither_success_nor_failure() -> None:
    vendor = Vendor(status="invented_tomorrow", ssl_status="invented_tomorrow")
    assert (vendor.hostname, vendor.certificate, vendor.works) == (Meaning.WAITING, Meaning.WAITING, False)


@settings(max_examples=600, deadline=None)
@given(state=st.sampled_from(STATES), look=looks, age=ages, away=st.none() | ages, was_live=st.booleans())
def test_any_step_keeps_the_promises(
    state: str, look: Seen, age: timedelta, away: timedelta | None, was_live: bool
) -> None:
    if state == State.PROVEN:
        return  # waits for its turn, not for a decision
    known = Known(
        state=state,
        waiting_since=NOW - age,
        was_live=was_live or state in (State.LIVE, State.STRAYING),
        away_since=None if away is None else NOW - away,
    )
    step = decide(known, look, NOW)
    # It always ends in a state that says what to do.
    assert step.reason in WORDS
    assert step.state in STATES
    # Only the token in DNS, seen now, leads from unproven to proven.
    if state not in PROVEN_STATES and step.state in PROVEN_STATES:
        assert look.has_token is True
        assert step.action == "prove"
    # Live only on the vendor's word that both halves work.
    if step.state == State.LIVE and state == State.ISSUING:
        assert look.vendor is not None
        assert look.vendor.works
    # A proof is given up only with definite bad news, and for a live domain only after a week of it.
    if state in PROVEN_STATES and step.state not in PROVEN_STATES:
        assert look.pointing in (Pointing.ELSEWHERE, Pointing.NOWHERE)
        assert step.action == "release"
        if known.was_live:
            assert away is not None
            assert away >= GRACE
    # Not being able to ask is never bad news.
    blind = Seen(has_token=None, pointing=Pointing.UNKNOWN, vendor=None)
    unmoved = decide(known, blind, NOW)
    assert unmoved.state == state
    assert unmoved.action in ("", "release" if state == State.REMOVING else "")


class Vendors:
    """The vendor as a random but honest party: it keeps what it took, and may fail before or after doing it."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.held: dict[str, str] = {}

    def _maybe_fail(self) -> None:
        if self.draw(st.integers(0, 5)) == 0:
            raise AdapterError("away", permanent=False, retry_after=self.draw(st.sampled_from([None, 3.0])))

    def create(self, host: str) -> Hostname:
        self._maybe_fail()
        if host in self.held:
            raise DuplicateHostnameError("there already", permanent=False)
        if self.draw(st.integers(0, 9)) == 0:
            raise QuotaError("full", permanent=False)
        self.held[host] = f"id-{host}-{self.draw(st.integers(0, 10**9))}"
        self._maybe_fail()  # done, and the answer lost
        return self._row(host)

    def find(self, host: str) -> Hostname | None:
        self._maybe_fail()
        return self._row(host) if host in self.held else None

    def get(self, id_: str) -> Hostname | None:
        self._maybe_fail()
        if self.draw(st.integers(0, 30)) == 0:
            self.held = {host: held for host, held in self.held.items() if held != id_}
        return next((self._row(host) for host, held in self.held.items() if held == id_), None)

    refresh = get

    def delete(self, id_: str) -> None:
        self._maybe_fail()
        self.held = {host: held for host, held in self.held.items() if held != id_}
        self._maybe_fail()

    def _row(self, host: str) -> Hostname:
        status = self.draw(st.sampled_from(["active", "active", "pending", "moved", "blocked", "deleted"]))
        ssl = self.draw(st.sampled_from(["active", "active", "pending_validation", "validation_timed_out"]))
        return Hostname(id=self.held[host], host=host, status=status, ssl_status=ssl)


class Crash(BaseException):
    """The worker's process is gone."""


HOSTS = ("a.nordkap-tee.de", "b.nordkap-tee.de")


@pytest.fixture
def shops(shop: Tenant, other_shop: Tenant) -> list[Tenant]:
    return [shop, other_shop]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_story_of_two_shops_never_serves_the_unproven_and_never_loses_the_proven(
    shops: list[Tenant], data: st.DataObject
) -> None:
    from django.db import transaction

    with transaction.atomic():
        Story(shops, data.draw).run()
        transaction.set_rollback(True)


class Story:
    """Two shops, two hosts, forty random events. `zone` holds the tokens that are in DNS, by host."""

    def __init__(self, shops: list[Tenant], draw: Callable[[Any], Any]) -> None:
        self.shops, self.draw = shops, draw
        self.vendor = Vendors(draw)
        self.zone: dict[str, set[str]] = {host: set() for host in HOSTS}
        self.ever: dict[str, set[str]] = {host: set() for host in HOSTS}
        self.here: dict[str, Pointing] = dict.fromkeys(HOSTS, Pointing.NOWHERE)
        self.now = NOW
        self.run_: Run

    def run(self) -> None:
        events = [self.claim, self.set_txt, self.drop_txt, self.point, self.look, self.look, self.look, self.look,
                  self.issue, self.issue, self.remove, self.restart, self.wait]  # fmt: skip
        for _ in range(40):
            proven = dict(Domain.objects.exclude(proven_at=None).filter(is_platform=False).values_list("pk", "state"))
            event = events[self.draw(st.integers(0, len(events) - 1))]
            with contextlib.suppress(Crash):
                event()
            self.check(event.__name__, proven)

    def check(self, event: str, proven: dict[Any, str]) -> None:
        for domain in Domain.objects.filter(is_platform=False):
            assert domain.reason in WORDS
            if domain.is_served:
                assert domain.token in self.ever[domain.host], "serves a host whose token was never in DNS"
        hosts = list(Domain.objects.served().values_list("host", flat=True))
        assert len(hosts) == len(set(hosts))
        kept = set(Domain.objects.exclude(proven_at=None).values_list("pk", flat=True))
        for pk, state in proven.items():
            if pk not in kept:
                row = Domain.objects.filter(pk=pk).first()
                # Given up by its merchant, or after definite bad news for long enough: never by an accident.
                assert state == State.REMOVING if row is None else row.state in OVER, (event, state)

    def claims(self) -> list[Domain]:
        return list(Domain.objects.filter(is_platform=False).select_related("tenant").order_by("pk"))

    def one(self) -> Domain | None:
        found = self.claims()
        return found[self.draw(st.integers(0, len(found) - 1))] if found else None

    def claim(self) -> None:
        tenant = self.shops[self.draw(st.integers(0, 1))]
        Domain.objects.get_or_create(
            tenant=tenant, host=self.draw(st.sampled_from(HOSTS)), defaults={"waiting_since": self.now}
        )

    def set_txt(self) -> None:
        if domain := self.one():
            self.zone[domain.host].add(domain.token)
            self.ever[domain.host].add(domain.token)

    def drop_txt(self) -> None:
        self.zone[self.draw(st.sampled_from(HOSTS))].clear()

    def point(self) -> None:
        self.here[self.draw(st.sampled_from(HOSTS))] = self.draw(st.sampled_from([Pointing.HERE, Pointing.ELSEWHERE]))

    def wait(self) -> None:
        self.now += self.draw(st.sampled_from([timedelta(hours=1), timedelta(days=3), timedelta(days=20)]))

    def remove(self) -> None:
        if (domain := self.one()) and self.draw(st.integers(0, 2)) == 0:
            domain.remove()

    def restart(self) -> None:
        if (domain := self.one()) and domain.state in OVER:
            domain.start_again()

    def worker(self) -> Run:
        run = Run.__new__(Run)
        run.api, run.now = self.vendor, self.now  # type: ignore[assignment]
        run.budget = Budget()
        run.answers = Answers(self.vendor, run.budget, 0)  # type: ignore[arg-type]
        if self.draw(st.integers(0, 6)) == 0:  # dies before it can write down what it did
            run.settle = self.die  # type: ignore[method-assign]
        return run

    def die(self, *_: object, **__: object) -> bool:
        raise Crash

    def look(self) -> None:
        from tenants.domains.reconciling import claim as claim_due

        if not (domain := self.one()) or domain.state == State.PROVEN:
            return
        Domain._base_manager.filter(pk=domain.pk).update(next_check_at=NOW - timedelta(days=1))
        Domain._base_manager.exclude(pk=domain.pk).update(next_check_at=NOW + timedelta(days=999))
        run = self.worker()
        for row in claim_due():
            blind = self.draw(st.integers(0, 4)) == 0
            token = None if blind else row.token in self.zone[row.host]
            pointing = Pointing.UNKNOWN if blind else self.here[row.host]
            vendor = run.answers.of(row) if row.hostname_id else None
            try:
                run.step(row, Seen(has_token=token, pointing=pointing, vendor=vendor), ())
            except AdapterError as error:
                run.put_off(row, error)

    def issue(self) -> None:
        from tenants.domains import issuing

        Domain._base_manager.filter(is_platform=False).update(next_check_at=NOW - timedelta(days=1))
        issuing.issue(self.worker())
