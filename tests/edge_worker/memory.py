"""The edge's ports in memory, and two shops of our own: what the tests call the app with."""

import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx

from storefront import app as storefront_app
from storefront.bindings import FETCH_TIMEOUT, BindingError, Reply
from storefront.documents import (
    ChatSettings,
    Config,
    DomainRecord,
    Link,
    Product,
    RealtimeCell,
    Seo,
    TenantRef,
    domain_key,
)
from storefront.http_bindings import MemoryCache, Tasks, WindowLimiter
from storefront.sections import (
    AnnouncementBar,
    CallToAction,
    Contact,
    Faq,
    FeaturedProducts,
    Gallery,
    GalleryImage,
    Hero,
    ImageWithText,
    Logo,
    LogoStrip,
    OpeningHours,
    ProductCard,
    ProductGrid,
    Question,
    RichText,
    Section,
    Testimonial,
    Testimonials,
)

INSTANT, TURSO, TELEMETRY = "http://instant.test", "http://turso.test", "http://telemetry.test"

CONVERSATION = "0198c0de-0000-7000-8000-0000000000cc"


class DictKV:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.reads: list[str] = []
        self.down = False

    async def get(self, key: str) -> str | None:
        self.reads.append(key)
        if self.down:
            raise BindingError("KV is down")
        return self.values.get(key)


class FixedAI:
    def __init__(self) -> None:
        self.down = False
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.frames: list[bytes] = [b'data: {"response": "Jug number 2 is sturdy [1]."}\n\n', b"data: [DONE]\n\n"]
        self.text_down = False
        self.open_streams = 0

    @contextlib.asynccontextmanager
    async def stream(self, model: str, inputs: dict[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        self.asked.append((model, inputs))
        if self.down or self.text_down:
            raise BindingError("Workers AI is down")
        self.open_streams += 1
        try:
            yield self._frames()
        finally:
            self.open_streams -= 1

    async def _frames(self) -> AsyncIterator[bytes]:
        for frame in self.frames:
            yield frame

    def says(self, text: str) -> None:
        """Every answer from now on, in pieces of three characters."""
        self.frames = [self.frame_of(text[i : i + 3]) for i in range(0, len(text), 3)]

    @staticmethod
    def frame_of(piece: str) -> bytes:
        return f"data: {json.dumps({'response': piece})}\n\n".encode()

    async def run(self, model: str, inputs: dict[str, Any]) -> dict[str, Any]:
        self.asked.append((model, inputs))
        if self.down:
            raise BindingError("Workers AI is down")
        return {"shape": [1, 3], "data": [[0.1, 0.2, 0.3]]}


class Stores:
    """Answers as Instant's /admin/query and Turso's /v2/pipeline do, from lists."""

    def __init__(self) -> None:
        self.products: list[Product] = []
        self.rows: list[tuple[str, str, str, str, str, float]] = []  # kind, source id, title, body, url, score
        self.usage = (0, 0)  # messages and tokens of today
        self.written: list[list[Any]] = []  # the arguments of each INSERT into the telemetry database
        self.down: set[str] = set()
        self.canned: dict[str, Any] = {}  # by base address: said whatever is asked
        self.requests: list[tuple[str, Mapping[str, str], Any]] = []

    async def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = FETCH_TIMEOUT,  # noqa: ASYNC109 - the port's own signature
    ) -> Reply:
        asked = json.loads(body or b"null")
        self.requests.append((url, headers or {}, asked))
        base = url.split("/", 3)[0] + "//" + url.split("/", 3)[2]
        if base in self.down:
            raise BindingError(f"{base} is down")
        if base in self.canned:
            answer = self.canned[base]
        elif base == TELEMETRY:
            answer = self._telemetry(asked["requests"][0]["batch"]["steps"])
        else:
            answer = self._instant(asked["query"]["products"]["$"]) if base == INSTANT else self._turso()
        return Reply(status=200, headers={}, body=json.dumps(answer).encode())

    def _telemetry(self, steps: list[dict[str, Any]]) -> dict[str, Any]:
        self.written += [
            [argument["value"] for argument in step["stmt"]["args"]]
            for step in steps
            if step["stmt"]["sql"].startswith("INSERT")
        ]
        usage = [[{"type": "integer", "value": str(number)} for number in self.usage]]
        results = [{"rows": self._rows(step["stmt"], usage)} for step in steps]
        result = {"step_results": results, "step_errors": [None] * len(steps)}
        return {"results": [{"type": "ok", "response": {"type": "batch", "result": result}}]}

    def _rows(self, statement: dict[str, Any], usage: list[Any]) -> list[Any]:
        if "RETURNING id" in statement["sql"]:
            return [[statement["args"][0]]]
        return usage if statement["sql"].startswith("SELECT") else []

    def _instant(self, options: dict[str, Any]) -> dict[str, Any]:
        found = [{"id": product.id, **product.to_entity()} for product in self.products]
        found = [entity for entity in found if _matches(entity, options["where"])]
        for name, way in options.get("order", {}).items():
            key = "position" if name == "serverCreatedAt" else name
            found.sort(key=lambda entity: entity[key], reverse=way == "desc")
        start = options.get("offset", 0)
        return {"products": found[start : start + options.get("limit", 1000)]}

    def _turso(self) -> dict[str, Any]:
        def cell(value: Any) -> dict[str, Any]:
            return {"type": "float" if isinstance(value, float) else "text", "value": value}

        rows = [
            [cell(value) for value in (str(number), *row, 1 / (60 + number))] for number, row in enumerate(self.rows)
        ]
        ok = {"type": "ok", "response": {"type": "execute", "result": {"cols": [], "rows": rows}}}
        return {"baton": None, "base_url": None, "results": [ok, {"type": "ok", "response": {"type": "close"}}]}


def _matches(entity: dict[str, Any], where: dict[str, Any]) -> bool:
    return all(
        any(_matches(entity, one) for one in wanted) if name == "or" else _fits(entity[name], wanted)
        for name, wanted in where.items()
    )


def _fits(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(value == wanted)
    return value in wanted["$in"] if "$in" in wanted else wanted["$like"].strip("%") in value


@dataclasses.dataclass
class Platform:
    """`scope["env"]`, with what a test looks at afterwards."""

    KV: DictKV = dataclasses.field(default_factory=DictKV)
    AI: FixedAI = dataclasses.field(default_factory=FixedAI)
    FETCH: Stores = dataclasses.field(default_factory=Stores)
    TURSO_URL: str = TURSO
    TURSO_READ_TOKEN: str = "read-only-token"
    PUBLIC_SCHEME: str = "https"
    PUBLIC_PORT: str = ""
    IMG_SRC: str = ""
    CHAT_MODEL: str = ""
    RERANK_MODEL: str = ""
    TELEMETRY_URL: str = TELEMETRY
    TELEMETRY_WRITE_TOKEN: str = "telemetry-token"
    CACHE: MemoryCache = dataclasses.field(default_factory=MemoryCache)
    DEFER: Tasks = dataclasses.field(default_factory=Tasks)
    VISITOR_LIMITER: WindowLimiter = dataclasses.field(default_factory=lambda: WindowLimiter(1000, 60))
    SHOP_LIMITER: WindowLimiter = dataclasses.field(default_factory=lambda: WindowLimiter(1000, 60))
    SEARCH_LIMITER: WindowLimiter = dataclasses.field(default_factory=lambda: WindowLimiter(1000, 60))

    def publish(self, record: DomainRecord, host: str = "") -> None:
        self.KV.values[domain_key(host or record.canonical_host)] = record.to_json()

    async def get(self, url: str, *, method: str = "GET", **headers: str) -> httpx.Response:
        """The app's answer to one request; header names with underscores for hyphens."""

        answer = await self._send(method, url, headers)
        await self.DEFER.drain()
        return answer

    async def post(self, url: str, body: Any, **headers: str) -> httpx.Response:
        """The same with a JSON body (bytes are sent as they are); deferred work is done when it returns."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self._send("POST", url, {"content-type": "application/json"} | headers, content)
        await self.DEFER.drain()
        return answer

    async def chat(self, *asked: str, lang: str = "", host: str = "pots.test", **headers: str) -> list[tuple[str, Any]]:
        """The events that answer the last of the messages, which are the shopper's and the shop's in turns."""
        roles = ["user" if (len(asked) - number) % 2 else "assistant" for number in range(len(asked))]
        messages = [{"role": role, "content": text} for role, text in zip(roles, asked, strict=True)]
        body = {"conversation": CONVERSATION, "messages": messages, "lang": lang}
        answer = await self.post(f"https://{host}/api/chat", body, **headers)
        assert answer.status_code == 200, answer.text
        return events_of(answer.text)

    async def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"") -> httpx.Response:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await storefront_app.app({**scope, "env": self}, receive, send)

        host = httpx.URL(url).host
        names = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), trust_env=False) as client:
            return await client.request(method, url, headers=names, content=body)


def events_of(stream: str) -> list[tuple[str, Any]]:
    """The names and values of server-sent events."""
    pairs = [block.split("\ndata: ", 1) for block in stream.strip().split("\n\n")]
    return [(name.removeprefix("event: "), json.loads(value)) for name, value in pairs]


def text_of(events: list[tuple[str, Any]]) -> str:
    return "".join(value["text"] for name, value in events if name == "token")


def named(events: list[tuple[str, Any]], name: str) -> Any:
    """The value of the one event of this name."""
    [value] = [value for each, value in events if each == name]
    return value


def card(number: int, **changes: Any) -> ProductCard:
    plain = ProductCard(
        id=f"p{number}", slug=f"jug-{number}", title=f"Jug number {number}", price=1250 * number,
        image_url=f"/img/jug-{number}.svg", image_alt=f"Jug {number} on a table",
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


def product(number: int, tenant: str = "t-a", **changes: Any) -> Product:
    plain = Product(
        id=f"p{number}", tenantId=tenant, slug=f"jug-{number}", title=f"Jug number {number}", price=1250 * number,
        currency="EUR", descriptionHtml=f"<p>Thrown by hand, {number} times.</p>", imageUrl=f"/img/jug-{number}.svg",
        imageAlt=f"Jug {number} on a table", position=number, tags=("kitchen",) if number % 2 else ("garden",),
        updatedAt=1_795_000_000_000,
    )  # fmt: skip
    return dataclasses.replace(plain, **changes)


EVERY_KIND: tuple[Section, ...] = (
    AnnouncementBar(text="Free delivery over 50", link_label="Details", link_url="/products"),
    Hero(
        eyebrow="Since 1987", heading="Made to be used", text="Plain and sturdy.", image_url="/img/hero.svg",
        image_alt="A kitchen", button_label="Shop now", button_url="/products", secondary_label="Our story",
        secondary_url="https://example.com/story",
    ),
    FeaturedProducts(heading="Favourites", text="Picked by us.", product_ids=("p1", "p2"), cards=(card(1), card(2))),
    ProductGrid(heading="Newest", tag="kitchen", cards=(card(3), card(4, available=False))),
    RichText(heading="About", body_html="<p>We <strong>throw</strong> pots.</p>"),
    ImageWithText(heading="The kiln", body_html="<p>Hot.</p>", image_url="/img/kiln.svg", image_alt="A kiln",
                  button_label="Visit", button_url="/products"),
    Gallery(heading="Pictures", images=(GalleryImage(image_url="/img/a.svg", image_alt="A shelf", caption="Shelf"),)),
    Testimonials(heading="Voices", items=(Testimonial(quote="Lovely.", author="Ada", role="Turin"),)),
    Faq(heading="Questions", items=(Question(question="Dishwasher?", answer="Yes.\n\nAlways."),)),
    LogoStrip(heading="Seen in", logos=(Logo(image_url="/img/logo.svg", image_alt="The Paper", url="https://x.test"),)),
    Contact(
        heading="Visit us", text="Ring twice.", email="hello@pots.test", phone="+49 30 123", address="Lane 1\nBerlin",
        hours=(OpeningHours(days="Monday", hours="9–17"),), map_url="https://maps.test/1",
    ),
    CallToAction(heading="Come by", text="We are in.", button_label="All pots", button_url="/products"),
)  # fmt: skip


def shop_record(name: str = "Pots", tenant: str = "t-a", **changes: Any) -> DomainRecord:
    plain = DomainRecord(
        tenant=TenantRef(id=tenant, status="active", name=name, slug=name.lower()),
        canonical_host=f"{name.lower()}.test",
        seo=Seo(title=f"{name} – by hand", description=f"Good {name}.", image_url="/img/hero.svg"),
        navigation=(Link(label="Everything", url="/products"), Link(label="Mail", url="mailto:a@pots.test")),
        sections=EVERY_KIND,
        config=Config(
            realtime=RealtimeCell(app_id="app-1", api_uri=INSTANT),
            embedding_model="@cf/test/model",
            chat=ChatSettings(enabled=True, contact_email="help@pots.test"),
        ),
    )
    # Through JSON, as it travels: the revision is filled in on the way.
    return DomainRecord.from_json(dataclasses.replace(plain, **changes).to_json())
