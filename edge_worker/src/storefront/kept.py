"""What a location keeps of a shop: rendered pages, and its record for the time that KV is away.

A page's key is made of host, path, understood choices, the record's revision and this build, so that a publish is a
new key and nothing is ever purged. Nothing else of a request is looked at: no cookie, no header, no unknown parameter,
so nobody can have something kept for others. What is kept says nothing of a shopper; drafts are never kept.

Pages with live products are kept for FRESH seconds at most, and for none at all while the catalogue has just changed:
then KV may know of the edit before Instant does. Where a store is away or slow, what is older may be shown, up to
STALE seconds after KV or Instant last confirmed it; the header Cache-Status (RFC 9211) says so.
"""

import asyncio
import dataclasses
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import quote

from storefront.assets import BUILD, digest
from storefront.bindings import BindingError, Env, Kept, variable

BY_REVISION: Final = 86_400
"""Seconds a page is kept that the record alone decides."""
FRESH: Final = 60
"""Seconds a page with live products is kept: the longest that a former price is shown while every store answers
(usually it is until KV has the record of the new catalogue). The page's script corrects prices at once anyway."""
SETTLED: Final = 10
"""Seconds after a change of the catalogue in which pages with products are not kept."""
STALE: Final = 3_600
"""Seconds that pages and a record may be shown for after a store last confirmed them, while that store is away."""
CONFIRM: Final = 300
"""Seconds after which a kept page is confirmed: it was served under the revision that KV names."""
PATIENCE: Final = 1.0
"""Seconds a store may take before what is kept is shown in its place."""

T = TypeVar("T")

log = logging.getLogger("storefront")


def now() -> float:
    return time.time()


def variant(env: Env) -> str:
    """What decides a page's bytes beside record and products: the build and the variables that show on pages."""
    return _variant(*(variable(env, name) for name in ("PUBLIC_SCHEME", "PUBLIC_PORT", "IMG_SRC")))


@functools.lru_cache(maxsize=8)
def _variant(*shown: str) -> str:
    return digest(BUILD.encode(), *(text.encode() for text in shown))


def page_key(host: str, path: str, *, revision: str, build: str) -> str:
    """`path` may carry choices that were understood and put in order; its escapes are its own."""
    return f"https://{host}/.kept/{build}/{quote(revision, safe='')}{path}"


def record_key(host: str) -> str:
    return f"https://{host}/.kept/record"


def last_key(host: str, tenant_id: str, path: str) -> str:
    """The last that was kept of a page with products, whatever its revision: shown only while Instant is away.

    A host may become another shop's, so the key names the shop too.
    """
    return f"https://{host}/.kept/latest/{tenant_id}{path}"


def similar_key(host: str, tenant_id: str, slug: str) -> str:
    return f"https://{host}/.kept/similar/{tenant_id}/{quote(slug, safe='')}"


async def look(env: Env, key: str, *, within: float) -> Kept | None:
    """What is kept under `key` and is not older than `within` seconds. A cache that fails holds nothing."""
    try:
        found = await env.CACHE.match(key)
    except (BindingError, AttributeError) as error:  # AttributeError: a platform without a cache
        log.warning("the cache can't be read: %s", error)
        return None
    return found if found and age(found) <= within else None


def age(kept: Kept) -> float:
    """Seconds since it was kept; more than anything allows where it does not say."""
    return max(now() - kept_at(kept), 0.0)


def kept_at(kept: Kept) -> float:
    try:
        return float(kept.facts["kept-at"])
    except (KeyError, ValueError):
        return float("-inf")


def keep(env: Env, entries: Mapping[str, tuple[Kept, int]]) -> None:
    """Keeps entries, each for so many seconds, after the answer."""
    env.DEFER(_put(env, entries))


async def _put(env: Env, entries: Mapping[str, tuple[Kept, int]]) -> None:
    try:
        for key, (kept, seconds) in entries.items():
            await env.CACHE.put(key, kept, seconds)
    except (BindingError, AttributeError) as error:
        log.warning("nothing is kept: %s", error)


def entry(text: str, **facts: str) -> Kept:
    return Kept(text=text, facts={**facts, "kept-at": f"{now():.3f}"})


def forget_record(env: Env, host: str) -> None:
    """KV has said that this host shows no shop: neither does what is kept."""
    env.DEFER(_forget(env, host))


async def _forget(env: Env, host: str) -> None:
    try:
        await env.CACHE.delete(record_key(host))
    except (BindingError, AttributeError) as error:
        log.warning("a kept record is not forgotten: %s", error)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Instead:
    """What is kept in place of what a store did not say, and why."""

    kept: Kept
    why: str


async def or_kept(
    work: Awaitable[T],
    instead: Callable[[], Awaitable[Kept | None]],
    *,
    store: str,
    failures: tuple[type[Exception], ...],
    late: Callable[["asyncio.Future[T]"], None] | None = None,
) -> T | Instead:
    """What `work` says; where it fails or takes longer than PATIENCE, what is kept. Without that it is waited for.

    `late` is given the work that goes on; without it, it is cancelled.
    """
    task = asyncio.ensure_future(work)
    try:
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        if done and not isinstance(task.exception(), failures):
            return task.result()
        kept = await instead()
        if kept is None:
            return await task
        why = f"{store} {'away' if done else 'slow'}"
        log.warning("what is kept is shown: %s", f"{why}: {task.exception()}" if done else why)
        if late and not done:
            late(task)
        return Instead(kept=kept, why=why)
    finally:
        if not task.done() and late is None:
            task.cancel()


def status(page: Kept, within: float | None, why: str = "") -> str:
    """A Cache-Status header (RFC 9211) of what was kept, or without `within` was made just now. A negative `ttl` says
    by how much something is older than it should be."""
    what = "fwd=miss" if within is None else f"hit; ttl={int(within - age(page))}"
    return f"storefront; {what}" + (f'; detail="{why}"' if why else "")


def headers_of(kept: Kept) -> dict[str, str]:
    """With which a page was kept."""
    return {name: fact for name, fact in kept.facts.items() if name != "kept-at"}
