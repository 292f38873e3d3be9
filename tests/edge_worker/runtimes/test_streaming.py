"""What a comparison of whole answers can't show: when parts of one come, and what many at once do to each other."""

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from storefront.documents import DomainRecord, domain_key
from storefront.sections import Hero
from tests.edge_worker.memory import CONVERSATION, events_of, shop_record, text_of
from tests.edge_worker.runtimes.asked import Asked, Runtime
from tests.edge_worker.runtimes.cpython import CPython
from tests.edge_worker.runtimes.pyodide import Pyodide
from tests.edge_worker.runtimes.world import Vendors

pytestmark = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]

SHOPS = 50


@pytest.fixture(params=["cpython", "pyodide"])
def runtime(request: pytest.FixtureRequest, cpython: CPython, pyodide: Pyodide) -> Runtime:
    return cpython if request.param == "cpython" else pyodide


def question(host: str, visitor: str = "203.0.113.8") -> Asked:
    value = {"conversation": CONVERSATION, "messages": [{"role": "user", "content": "Is the jug sturdy?"}]}
    headers = {"content-type": "application/json", "cf-connecting-ip": visitor}
    return Asked(url=f"https://{host}/api/chat", method="POST", headers=headers, body=json.dumps(value).encode())


@pytest.fixture
def gate(vendors: Vendors) -> Iterator[Vendors]:
    """The text model of gated.test has said a sentence and says no more until `vendors.gate` is set."""
    vendors.gate.clear()
    yield vendors
    vendors.gate.set()


def test_a_chats_first_sentence_arrives_before_the_model_has_made_the_last(runtime: Runtime, gate: Vendors) -> None:
    told = runtime.ask(question("gated.test"))
    early = b""
    while b"sturdy [1]" not in early:
        early += next(told.parts)
    assert not gate.gate.is_set()
    assert [name for name, _ in events_of(early.decode())] == ["sources", "token"]
    gate.gate.set()
    events = events_of((early + told.whole().body).decode())
    assert [name for name, _ in events] == ["sources", "token", "token", "products", "done"]
    assert "25" in text_of(events)


def test_a_chat_streams_through_workerd_too(pyodide: Pyodide, gate: Vendors) -> None:
    asked, early = question("gated.test"), b""
    headers = {**asked.headers, "host": "gated.test"}
    with httpx.stream("POST", f"{pyodide.front}/api/chat", headers=headers, content=asked.body, timeout=30) as answer:
        parts = answer.iter_bytes()
        while b"sturdy [1]" not in early:
            early += next(parts)
        assert not gate.gate.is_set()
        gate.gate.set()
        assert b"event: done" in early + b"".join(parts)


def test_a_visitor_who_asks_too_often_is_told_when_to_come_back(runtime: Runtime) -> None:
    rating = json.dumps({"turn": CONVERSATION, "value": 1}).encode()
    headers = {"content-type": "application/json", "cf-connecting-ip": f"192.0.2.{len(runtime.name)}"}
    asked = Asked(url="https://pots.test/api/chat/rating", method="POST", headers=headers, body=rating)
    # Twice the limit and one: the minute that is counted may end in between, once.
    answers = (runtime.ask(asked).whole() for _ in range(41))
    refused = next(answer for answer in answers if answer.status != 204)
    assert (refused.status, refused.header("retry-after")) == (429, "60")
    assert json.loads(refused.body)["code"] == "too_many"


def marked(number: int) -> DomainRecord:
    """A shop whose every text that a merchant chooses carries its mark."""
    mark = f"mark-{number:03}-"
    shop = shop_record(f"Shop{number}", f"{mark}tenant", sections=(Hero(heading=f"{mark}heading"),))
    return dataclasses.replace(shop, seo=dataclasses.replace(shop.seo, title=f"{mark}title", description=f"{mark}text"))


def test_fifty_shops_at_once_see_nothing_of_each_other(runtime: Runtime, pyodide: Pyodide) -> None:
    shops = {number: marked(number) for number in range(SHOPS)}
    kv = pyodide.kv().kv()
    assert kv.put({domain_key(shop.canonical_host): shop.to_json() for shop in shops.values()}) == {}
    kv.close()
    asked = [
        (number, Asked(url=f"https://{shop.canonical_host}{path}"))
        for path in ("/", "/cart", "/nothing")
        for number, shop in shops.items()
    ]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: (one[0], runtime.ask(one[1]).whole().text), asked))
    for number, text in answers:
        foreign = [other for other in shops if other != number and f"mark-{other:03}-" in text]
        assert (foreign, f"Shop{number}" in text or f"mark-{number:03}-" in text) == ([], True)
