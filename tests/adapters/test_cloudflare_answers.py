"""Answers that Cloudflare itself would not give: a proxy's page, half an answer, an envelope without success."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest

from controlplane.adapters.cloudflare_kv import KVNamespace, _slices
from controlplane.adapters.errors import AdapterError
from controlplane.adapters.workers_ai import MAX_CHARACTERS, WorkersAI

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def answering() -> Iterator[Callable[[Answer], httpx.Client]]:
    made: list[httpx.Client] = []

    def make(answer: Answer) -> httpx.Client:
        made.append(httpx.Client(transport=httpx.MockTransport(answer)))
        return made[-1]

    yield make
    for client in made:
        client.close()


def kv(client: httpx.Client) -> KVNamespace:
    return KVNamespace(
        base_url="http://kv.test/client/v4", api_token="t", account_id="a", namespace_id="n", http_client=client
    )


def ai(client: httpx.Client) -> WorkersAI:
    return WorkersAI(base_url="http://ai.test/client/v4", api_token="t", account_id="a", http_client=client)


CALLS: dict[str, Callable[[httpx.Client], object]] = {
    "put": lambda client: kv(client).put({"a": "1"}),
    "delete": lambda client: kv(client).delete(["a"]),
    "get": lambda client: kv(client).get(["a"]),
    "keys": lambda client: list(kv(client).keys()),
    "embed": lambda client: ai(client).embed(["tea"], model="m"),
}
UNREADABLE: dict[str, Callable[[], httpx.Response]] = {
    "a hotel's page": lambda: httpx.Response(200, html="<h1>Welcome to the hotel</h1>"),
    "half an answer": lambda: httpx.Response(200, content=b'{"res', headers={"content-type": "application/json"}),
    "nothing": lambda: httpx.Response(200),
    "a list": lambda: httpx.Response(200, json=[]),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", UNREADABLE)
def test_an_answer_that_is_not_cloudflare_s_is_a_passing_failure(
    answering: Callable[[Answer], httpx.Client], call: str, answer: str
) -> None:
    with pytest.raises(AdapterError, match=r"can't be read") as failed:
        CALLS[call](answering(lambda _: UNREADABLE[answer]()))
    assert not failed.value.permanent


@pytest.mark.parametrize("call", ["put", "delete", "get", "embed"])
def test_an_envelope_without_success_is_never_taken_for_done(
    answering: Callable[[Answer], httpx.Client], call: str
) -> None:
    with pytest.raises(AdapterError):
        CALLS[call](answering(lambda _: httpx.Response(200, json={"success": False, "result": None})))


@pytest.mark.parametrize("header", ["nan", "inf", "-1", "Tue, 24 Nov 2026 05:00:00 GMT"])
def test_a_wait_that_is_no_number_of_seconds_is_ignored(
    answering: Callable[[Answer], httpx.Client], header: str
) -> None:
    with pytest.raises(AdapterError) as failed:
        CALLS["put"](answering(lambda _: httpx.Response(429, headers={"retry-after": header})))
    assert (failed.value.permanent, failed.value.retry_after) == (False, None)


def test_a_time_out_is_a_passing_failure(answering: Callable[[Answer], httpx.Client]) -> None:
    def hang(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow")

    with pytest.raises(AdapterError, match="in time") as failed:
        CALLS["put"](answering(hang))
    assert not failed.value.permanent


def test_no_request_is_longer_than_100_megabytes_however_much_json_escapes() -> None:
    quotes = '"' * 1_000_000
    slices = list(_slices({f"k{number}": quotes for number in range(60)}))
    assert [len(pairs) for pairs in slices] == [44, 16]


def test_long_texts_are_sent_in_small_calls_and_come_back_in_order(
    answering: Callable[[Answer], httpx.Client],
) -> None:
    calls: list[int] = []

    def lengths(request: httpx.Request) -> httpx.Response:
        texts = json.loads(request.content)["text"]
        calls.append(len(texts))
        return httpx.Response(200, json={"success": True, "result": {"data": [[len(text)] for text in texts]}})

    texts = ["x" * (MAX_CHARACTERS - 1), "yy", "z" * (2 * MAX_CHARACTERS), "w"]
    vectors = ai(answering(lengths)).embed(texts, model="m")
    assert vectors == [[float(len(text))] for text in texts]
    assert calls == [1, 1, 1, 1]


@pytest.mark.parametrize(("model", "pooling"), [("@cf/baai/bge-m3", "cls"), ("@local/all-minilm-l6-v2", None)])
def test_only_bge_models_are_asked_for_cls_pooling(
    answering: Callable[[Answer], httpx.Client], model: str, pooling: str | None
) -> None:
    asked: list[dict[str, object]] = []

    def note(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json={"success": True, "result": {"data": [[1.0]]}})

    ai(answering(note)).embed(["tea"], model=model)
    assert asked[0].get("pooling") == pooling
