"""Live queries: computed once for all subscribers with the same view, and again only after a write they may show.

Everything happens on the event loop, so a result and the transaction id that goes with it can't drift apart.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple, Protocol

from controlplane.localcloud.instant.errors import Refusal
from controlplane.localcloud.instant.permissions import Caller
from controlplane.localcloud.instant.reads import Index, Reads, Touch
from controlplane.localcloud.instant.values import compact, dumps

log = logging.getLogger(__name__)


# How a result is wanted: as browsers take it, or as the admin API's object tree, plain or with links to one inferred.
Shape = Literal["join-rows", "tree", "inferred tree"]
Evaluate = Callable[[Caller, Mapping[str, Any], Shape], "tuple[Answer, Reads]"]


class Answer(NamedTuple):
    """JSON texts: the result, and what a tree has no place for (pages, aggregates)."""

    result: str
    meta: str = "null"


NOTHING = Answer("")


class Subscriber(Protocol):
    """`wrote` is the id of the last transaction of its own."""

    wrote: int

    def refreshed(self, computation: "Computation") -> None: ...

    def failed(self, computation: "Computation", refusal: Refusal) -> None: ...


@dataclasses.dataclass(eq=False)
class Computation:
    """A query in the view of `caller` (and of everyone who sees the same). `answer` is right as of `tx_id`.

    `subscribers` says as of which transaction each of them was last told.
    """

    key: str
    query: Mapping[str, Any]
    caller: Caller
    shape: Shape
    answer: Answer = NOTHING
    tx_id: int = 0
    subscribers: dict[Subscriber, int] = dataclasses.field(default_factory=dict)

    @cached_property
    def frame(self) -> str:
        """What subscribers are sent after a change; the same text for all of them."""
        result, meta = self.answer
        computed = f'"instaql-result":{result},"result-meta":{meta},"result-changed?":true'
        head = f'{{"op":"refresh-ok","processed-tx-id":{self.tx_id},"processed-isn":null'
        return f'{head},"computations":[{{"instaql-query":{compact(self.query)},{computed}}}]}}'


class Subscriptions:
    """`evaluate` answers a query, `view_of` names those who get the same answer, `last_tx_id` what it shows."""

    def __init__(
        self,
        evaluate: Evaluate,
        view_of: Callable[[Caller, Mapping[str, Any]], str],
        last_tx_id: Callable[[], int],
    ) -> None:
        self._evaluate = evaluate
        self._view_of = view_of
        self._last_tx_id = last_tx_id
        self._computations: dict[str, Computation] = {}
        self._index: Index[Computation] = Index()
        self._stale: dict[Computation, None] = {}
        self._draining: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._computations)

    def add(
        self, subscriber: Subscriber, caller: Caller, query: Mapping[str, Any], shape: Shape = "join-rows"
    ) -> Computation:
        """The up-to-date computation, which from now on refreshes the subscriber. Raises a Refusal."""
        key = f"{self._view_of(caller, query)} {shape} {dumps(query)}"
        computation = self._computations.get(key)
        if computation is None:
            computation = Computation(key, query, caller, shape)
            self._compute(computation)
            self._computations[key] = computation
        elif computation in self._stale:
            self._refresh(computation)
        computation.subscribers[subscriber] = self._last_tx_id()
        return computation

    def remove(self, subscriber: Subscriber, computation: Computation) -> None:
        computation.subscribers.pop(subscriber, None)
        if not computation.subscribers:
            self._forget(computation)

    def wrote(self, touches: Iterable[Touch]) -> None:
        """To be called after every committed transaction."""
        self._stale.update(dict.fromkeys(self._index.concerned(touches)))
        if self._stale and (self._draining is None or self._draining.done()):
            self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def settled(self) -> None:
        """Returns when every answer is up to date."""
        while self._draining and not self._draining.done():
            await self._draining

    async def _drain(self) -> None:
        """Writes go on in between, so that a burst of them costs a computation one evaluation, not one each."""
        while self._stale:
            self._refresh(next(iter(self._stale)))
            await asyncio.sleep(0)

    def _refresh(self, computation: Computation) -> None:
        before = computation.answer
        try:
            self._compute(computation)
        except Exception as error:
            self._give_up(computation, error)
            return
        for subscriber, told in computation.subscribers.items():
            # Who wrote must hear of it even if nothing changed: until then its page shows what it wrote instead.
            if computation.answer != before or subscriber.wrote > told:
                computation.subscribers[subscriber] = computation.tx_id
                subscriber.refreshed(computation)

    def _compute(self, computation: Computation) -> None:
        self._stale.pop(computation, None)
        computation.__dict__.pop("frame", None)
        computation.tx_id = self._last_tx_id()
        computation.answer, reads = self._evaluate(computation.caller, computation.query, computation.shape)
        self._index.put(computation, reads)

    def _give_up(self, computation: Computation, error: Exception) -> None:
        """A query that a change of schema or rules made impossible: its subscribers are told and lose it."""
        if not isinstance(error, Refusal):
            log.error("A query could not be computed again: %s", computation.key, exc_info=error)
            error = Refusal("unknown", "Something went wrong. Sorry about this!")
        self._forget(computation)
        for subscriber in computation.subscribers:
            subscriber.failed(computation, error)

    def _forget(self, computation: Computation) -> None:
        self._stale.pop(computation, None)
        self._computations.pop(computation.key, None)
        self._index.remove(computation)
