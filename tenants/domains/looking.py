"""What the world says about domains right now: their DNS, and the vendor's answers within its request budget."""

import contextlib
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from controlplane.adapters.custom_hostnames import PER_PAGE, CustomHostnames, Hostname
from controlplane.adapters.dns_over_https import Answer, Resolver
from controlplane.adapters.errors import AdapterError
from tenants.domains.records import proof_name, proof_value
from tenants.domains.states import Pointing, Vendor
from tenants.models import Allowance, Domain

API_CALLS = 900
API_WINDOW = timedelta(minutes=5)
"""Of Cloudflare's 1,200 requests in five minutes, which the outbox's writes to KV come out of too."""

AT_ONCE = 4
"""Pages of the list that are read side by side."""
LIST, LIST_CALLS = "custom-hostnames", 700
"""Where the list is kept between runs, and the share of API_CALLS that reading it may take."""
SMALL = 10
"""Pages that are cheap enough to read anew in every run."""


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


class OverBudgetError(AdapterError):
    """Our own limit, not the vendor's: the domain is looked at again soon, and nothing is said about it."""

    def __init__(self) -> None:
        super().__init__("The requests of these five minutes are used up.", permanent=False, retry_after=30)


class Answers:
    """The vendor's word on many hostnames: one request each, or the whole list where that is cheaper.

    A list is good for as long as reading it again would be too dear: of ten thousand hostnames (200 requests) a
    minute and a half. After the first failure it asks no more: an outage costs one timeout a run, not one a domain.
    """

    def __init__(self, api: CustomHostnames, budget: Budget, due: int) -> None:
        self._api, self._budget, self._due = api, budget, due
        self._listed: Mapping[str, Hostname] | None = None
        self._failed = False

    def of(self, row: Domain) -> Vendor | None:
        """None: could not ask now. Raises OverBudgetError."""
        if not row.hostname_id or self._failed:
            return None
        try:
            listed = self._list()
            if listed is not None and row.hostname_id in listed:
                return _vendor(listed[row.hostname_id])
            if not self._budget.take():
                raise OverBudgetError
            return _vendor(self._api.get(row.hostname_id))
        except OverBudgetError:
            raise
        except AdapterError:
            self._failed = True
            return None

    def _list(self) -> Mapping[str, Hostname] | None:
        if self._listed is None and self._due > 1:
            pages = math.ceil(Domain.objects.exclude(hostname_id="").count() / PER_PAGE) + 1
            if self._due > pages:
                self._listed = self._kept(pages) or self._read(pages)
            self._due = 0  # decided once a run
        return self._listed

    def _kept(self, pages: int) -> Mapping[str, Hostname] | None:
        try:
            kept: Mapping[str, Hostname] | None = cache.get(LIST) if pages > SMALL else None
        except (RedisError, OSError):
            return None
        return kept

    def _read(self, pages: int) -> Mapping[str, Hostname] | None:
        if not self._budget.take(pages):
            return None
        # What is added or removed meanwhile shifts the pages: who is missing is asked for by itself.
        with ThreadPoolExecutor(AT_ONCE) as pool:
            listed = {one.id: one for page in pool.map(self._api.page, range(1, pages + 1)) for one in page}
        if pages > SMALL:
            with contextlib.suppress(RedisError, OSError):
                cache.set(LIST, listed, pages * API_WINDOW.total_seconds() / LIST_CALLS)
        return listed


def _vendor(hostname: Hostname | None) -> Vendor:
    if hostname is None:
        return Vendor(found=False)
    return Vendor(status=hostname.status, ssl_status=hostname.ssl_status, errors=hostname.errors)
