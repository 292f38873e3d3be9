"""What the world says about domains right now: their DNS, and the vendor's answers within its request budget."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.conf import settings

from controlplane.adapters.custom_hostnames import PER_PAGE, CustomHostnames, Hostname
from controlplane.adapters.dns_over_https import Answer, Resolver
from controlplane.adapters.errors import AdapterError
from tenants.domains.records import proof_name, proof_value
from tenants.domains.states import Pointing, Vendor
from tenants.models import Allowance, Domain

API_CALLS = 900
API_WINDOW = timedelta(minutes=5)
"""Of Cloudflare's 1,200 requests in five minutes, which the outbox's writes to KV come out of too."""


def look_up(resolver: Resolver, rows: Sequence[Domain]) -> dict[str, tuple[bool | None, Pointing, tuple[str, ...]]]:
    """By token: whether the TXT record is there, where the host points, and what its DNS says."""
    target = settings.CUSTOM_HOSTNAME_TARGET
    texts = {row.token: (proof_name(row.host), "TXT") for row in rows}
    questions = [(target, "A"), *texts.values(), *((row.host, "A") for row in rows)]
    answers = resolver.ask(questions)  # type: ignore[arg-type] # mypy widens the literals
    ours = set(settings.CUSTOM_HOSTNAME_ADDRESSES) | set(_values(answers.get((target, "A"))))
    found = {}
    for row in rows:
        text, address = answers[proof_name(row.host), "TXT"], answers[row.host, "A"]
        has_token = None if isinstance(text, AdapterError) else proof_value(row.token) in text.values
        found[row.token] = (has_token, pointing(address, ours), _shown(address))
    return found


def pointing(answer: Answer | AdapterError, ours: set[str]) -> Pointing:
    """Here: by the CNAME we asked for, or (an apex) by addresses that are all ours."""
    if isinstance(answer, AdapterError):
        return Pointing.UNKNOWN
    if settings.CUSTOM_HOSTNAME_TARGET in answer.chain:
        return Pointing.HERE
    if answer.values:
        return Pointing.HERE if set(answer.values) <= ours else Pointing.ELSEWHERE
    return Pointing.ELSEWHERE if answer.chain else Pointing.NOWHERE


def _values(answer: Answer | AdapterError | None) -> tuple[str, ...]:
    return answer.values if isinstance(answer, Answer) else ()


def _shown(answer: Answer | AdapterError) -> tuple[str, ...]:
    return (*answer.chain, *answer.values)[:4] if isinstance(answer, Answer) else ()


class Budget:
    """The requests that reconciling may make; `spent` counts those of this run."""

    def __init__(self) -> None:
        self.spent = 0

    def take(self, wanted: int = 1) -> bool:
        """All of `wanted` or none."""
        granted = Allowance.take("cloudflare-hostnames", wanted, limit=API_CALLS, window=API_WINDOW)
        self.spent += wanted if granted else 0
        return granted


class Answers:
    """The vendor's word on many hostnames: one request each, or the whole list where that is cheaper.

    After the first failure it asks no more: an outage costs one timeout a run, not one a domain.
    """

    def __init__(self, api: CustomHostnames, budget: Budget, due: int) -> None:
        self._api, self._budget = api, budget
        self._listed: Mapping[str, Hostname] | None = None
        self._due = due
        self.failure: AdapterError | None = None

    def of(self, row: Domain) -> Vendor | None:
        """None: could not ask now."""
        if not row.hostname_id or self.failure is not None:
            return None
        try:
            listed = self._list()
            if listed is not None and row.hostname_id in listed:
                return _vendor(listed[row.hostname_id])
            if not self._budget.take():
                return None
            return _vendor(self._api.get(row.hostname_id))
        except AdapterError as error:
            self.failure = error
            return None

    def _list(self) -> Mapping[str, Hostname] | None:
        if self._listed is not None or self._due < 2:
            return self._listed
        pages = math.ceil(Domain.objects.exclude(hostname_id="").count() / PER_PAGE) + 1
        if self._due > pages and self._budget.take(pages):
            self._listed = {one.id: one for page in self._api.pages() for one in page}
        self._due = 0  # decided once a run
        return self._listed


def _vendor(hostname: Hostname | None) -> Vendor:
    if hostname is None:
        return Vendor(found=False)
    return Vendor(status=hostname.status, ssl_status=hostname.ssl_status, errors=hostname.errors)
