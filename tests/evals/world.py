"""The three demo shops as the edge sees them, without Django's database: real vectors in a real libSQL server, live
products, the packaged embedding model and the local text model. And our own questions to them.
"""

import asyncio
import contextlib
import dataclasses
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from uuid_utils.compat import uuid7

from controlplane.adapters.turso import TursoDatabase
from controlplane.demo.seed import SHOPS
from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare import embeddings, text
from controlplane.localcloud.sqld import Sqld
from controlplane.publishing.vectors import Chunk, VectorStore
from storefront.bindings import FETCH_TIMEOUT, BindingError, Reply
from storefront.documents import ChatSettings, Config, DomainRecord, Product, RealtimeCell, TenantRef
from tests.edge_worker.memory import INSTANT, TELEMETRY, DictKV, FixedAI, Platform, Stores

EVALS = Path(__file__).parent


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """`sources` are ids of products and entries that answer it; none: the shop does not know. A price limit has
    `least` and `most`, minor units, `most` 0 for none."""

    shop: str
    lang: str
    text: str
    sources: tuple[str, ...]
    least: int = 0
    most: int = 0

    @property
    def is_answerable(self) -> bool:
        return bool(self.sources)


@dataclasses.dataclass(frozen=True)
class DemoShop:
    """A shop with its live products and its passages, as they are published."""

    record: DomainRecord
    products: list[Product]
    chunks: list[Chunk]
    ids: dict[str, str]  # a product's slug, or an entry's title, to its id
    questions: list[Question]

    @property
    def host(self) -> str:
        return self.record.canonical_host


class LocalAI:
    """Workers AI as the stand-in answers, in process; `texts` are the text models by name."""

    def __init__(self) -> None:
        self.texts: dict[str, Callable[[Sequence[dict[str, str]]], str]] = {text.MODEL: text.compose}
        self._known: dict[str, list[float]] = {}

    async def run(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        if model != embeddings.MODEL:
            raise BindingError(f"no such model {model}")
        (asked,) = inputs["text"]
        if asked not in self._known:
            self._known[asked] = (await asyncio.to_thread(embeddings.embed, [asked]))[0]
        return {"data": [self._known[asked]]}

    @contextlib.asynccontextmanager
    async def stream(self, model: str, inputs: dict[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        answer = await asyncio.to_thread(self.texts[model], inputs["messages"])

        async def frames() -> AsyncIterator[bytes]:
            yield FixedAI.frame_of(answer)

        yield frames()


class Routed(Stores):
    """Instant and telemetry in memory, the vectors by HTTP."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        super().__init__()
        self._client = client

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = FETCH_TIMEOUT,  # noqa: ASYNC109 - the port's own signature
    ) -> Reply:
        if url.startswith((INSTANT, TELEMETRY)):
            return await super().__call__(method, url, headers=headers, body=body, timeout=timeout)
        answer = await self._client.request(method, url, headers=headers, content=body, timeout=timeout)
        return Reply(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


def demo_shops() -> list[DemoShop]:
    return [_shop(path) for path in sorted(EVALS.glob("*.toml"))]


def _shop(path: Path) -> DemoShop:
    from catalog.documents import chunk_of, entity_of
    from catalog.models import Product as Row
    from chat.documents import chunks_of
    from chat.models import KnowledgeSource
    from tenants.models import Tenant

    evals = tomllib.loads(path.read_text("utf-8"))
    values = tomllib.loads((SHOPS / f"{evals['shop']}.toml").read_text("utf-8"))
    tenant = Tenant(id=uuid7(), **values["tenant"])
    rows = [Row(id=uuid7(), tenant=tenant, **product) for product in values["products"]]
    live = [row for row in rows if row.status == "active"]
    entries = [KnowledgeSource(id=uuid7(), tenant=tenant, **entry) for entry in values["knowledge"]]
    chunks = [chunk_of(row) for row in live] + [chunk for entry in entries for chunk in chunks_of(entry)]
    ids = {row.slug: str(row.pk) for row in rows} | {entry.title: str(entry.pk) for entry in entries}
    return DemoShop(record_of(tenant), [entity_of(row) for row in live], chunks, ids, list(_questions(evals, ids)))


def record_of(tenant: Any) -> DomainRecord:
    return DomainRecord(
        tenant=TenantRef(id=str(tenant.pk), status="active", name=tenant.name, slug=tenant.slug),
        canonical_host=f"{tenant.slug}.test",
        config=Config(
            currency=tenant.currency, locale=tenant.locale, realtime=RealtimeCell(app_id="app", api_uri=INSTANT),
            embedding_model=embeddings.MODEL,
            chat=ChatSettings(
                enabled=True, contact_email=f"hello@{tenant.slug}.example", model=defaults.TEXT_MODEL,
                daily_messages=10**9, daily_tokens=10**9,
            ),
        ),
    )  # fmt: skip


def _questions(evals: dict[str, Any], ids: dict[str, str]) -> Iterator[Question]:
    def known(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(next(id_ for title, id_ in ids.items() if title.startswith(name)) for name in names)

    for lang, asked, *names in evals["questions"]:
        yield Question(shop=evals["shop"], lang=lang, text=asked, sources=known(names))
    for lang, asked, least, most, *names in evals["limits"]:
        yield Question(shop=evals["shop"], lang=lang, text=asked, sources=known(names), least=least, most=most)


def load(store: VectorStore, shops: Sequence[DemoShop]) -> None:
    """Every passage with its vector, as the control plane would write it."""
    store.ensure_schema()
    for shop in shops:
        vectors = embeddings.embed([f"{chunk.title}\n{chunk.body}" for chunk in shop.chunks])
        by_source: dict[tuple[str, str], list[tuple[Chunk, list[float]]]] = {}
        for chunk, vector in zip(shop.chunks, vectors, strict=True):
            by_source.setdefault((chunk.source_kind, chunk.source_id), []).append((chunk, vector))
        for (kind, source_id), chunks in by_source.items():
            store.replace(shop.record.tenant.id, kind, source_id, chunks, embeddings.MODEL)


@contextlib.contextmanager
def world(sqld: Sqld, shops: Sequence[DemoShop]) -> Iterator[Callable[[httpx.AsyncClient], Platform]]:
    """Makes the edge's environment for a client of the running loop."""
    with contextlib.closing(TursoDatabase(sqld.url, sqld.rw_token)) as database:
        load(VectorStore(database), shops)

    def platform(client: httpx.AsyncClient) -> Platform:
        made = Platform(TURSO_URL=sqld.url, TURSO_READ_TOKEN=sqld.ro_token)
        made.KV, made.AI, made.FETCH = DictKV(), LocalAI(), Routed(client)  # type: ignore[assignment]
        for shop in shops:
            made.publish(shop.record)
            made.FETCH.products += shop.products
        return made

    yield platform
