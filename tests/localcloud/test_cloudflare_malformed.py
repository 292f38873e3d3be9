"""The stand-in answers nonsense with 400 in the envelope, as the vendor does: a 500 would be tried again for ever."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare.app import app
from controlplane.localcloud.faults import Fault, Faults
from tests.plugins.cloudflare import CloudflareCloud

ACCOUNT = f"/client/v4/accounts/{defaults.CLOUDFLARE_ACCOUNT_ID}"
NAMESPACES = f"{ACCOUNT}/storage/kv/namespaces"
NAMESPACE = f"{NAMESPACES}/{defaults.CLOUDFLARE_KV_NAMESPACE_ID}"
TOKEN = {"Authorization": f"Bearer {defaults.CLOUDFLARE_API_TOKEN}"}
BINDING = {"Authorization": f"Bearer {defaults.CLOUDFLARE_BINDING_TOKEN}"}


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def client(tmp_path: Path, faults: Faults) -> Iterator[TestClient]:
    served = app(tmp_path / "kv.sqlite3", faults=faults)
    yield TestClient(served, headers=TOKEN)
    served.state.store.close()
    served.state.zone_store.close()


def bulk(client: TestClient, *pairs: dict[str, Any]) -> Any:
    return client.put(f"{NAMESPACE}/bulk", json=list(pairs))


@pytest.mark.parametrize(
    "query", ["keys?limit=abc", "keys?limit=9", "keys?cursor=%FF%FF", "keys?limit=nan", "keys?limit=inf"]
)
def test_a_query_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    answer = client.get(f"{NAMESPACE}/{query}")
    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_a_limit_may_be_written_as_the_sdk_writes_floats(client: TestClient) -> None:
    assert client.get(f"{NAMESPACE}/keys?limit=100.0").status_code == 200
    assert client.put(f"{NAMESPACE}/values/a?expiration_ttl=60.0", content=b"1").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b'[{"key": "a", "value": "\\ud800"}]',
        b'[{"key": "\\ud800", "value": "v"}]',
        b'[{"key": "a", "value": "*", "base64": true}]',
        b'[{"key": "a", "value": "v", "expiration_ttl": "soon"}]',
        b'[{"key": "a", "value": "v", "expiration_ttl": [60]}]',
        b'[{"key": "a", "value": 1}]',
        b'["a"]',
        b"{}",
        b"[",
        b"\xff",
    ],
)
def test_a_bulk_write_that_can_t_be_read_is_refused_and_nothing_is_written(client: TestClient, body: bytes) -> None:
    answer = client.put(f"{NAMESPACE}/bulk", content=body)
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    assert client.get(f"{NAMESPACE}/keys").json()["result"] == []


@pytest.mark.parametrize("body", [{"keys": None}, {"keys": "binary"}, {"keys": []}, {"keys": [1]}, {}])
def test_a_bulk_read_without_a_list_of_keys_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post(f"{NAMESPACE}/bulk/get", json=body).status_code == 400


def test_a_bulk_read_of_bytes_that_are_no_text_is_refused(client: TestClient) -> None:
    client.put(f"{NAMESPACE}/values/binary", content=b"\xff")
    assert client.post(f"{NAMESPACE}/bulk/get", json={"keys": ["binary"]}).status_code == 400


def test_a_bulk_read_gives_metadata_when_asked(client: TestClient) -> None:
    bulk(client, {"key": "a", "value": "[1]", "metadata": {"n": 1}}, {"key": "b", "value": "2"})
    asked = {"keys": ["a", "b", "c"], "type": "json", "withMetadata": True}
    assert client.post(f"{NAMESPACE}/bulk/get", json=asked).json()["result"]["values"] == {
        "a": {"value": [1], "metadata": {"n": 1}},
        "b": {"value": 2, "metadata": None},
        "c": None,
    }


def test_metadata_that_is_not_json_is_refused(client: TestClient) -> None:
    parts: Any = {"value": b"v", "metadata": (None, "{")}
    assert client.put(f"{NAMESPACE}/values/a", files=parts).status_code == 400


def test_an_embedding_of_half_a_character_is_refused(client: TestClient) -> None:
    answer = client.post(f"{ACCOUNT}/ai/run/@local/all-minilm-l6-v2", content=b'{"text": "\\ud800"}')
    assert answer.status_code == 400


def test_a_method_that_a_route_does_not_have_is_405(client: TestClient) -> None:
    assert client.patch(f"{NAMESPACE}/keys").json()["errors"][0]["code"] == 7001


def test_a_refused_write_may_be_corrected_at_once(client: TestClient) -> None:
    assert client.put(f"{NAMESPACE}/values/a?expiration_ttl=1", content=b"1").status_code == 400
    assert client.put(f"{NAMESPACE}/values/a", content=b"1").status_code == 200


def test_a_key_that_was_not_taken_may_be_written_again_at_once(client: TestClient, faults: Faults) -> None:
    faults.set([Fault(kind="partial", match="b", times=1)])
    pairs = [{"key": "a", "value": "1"}, {"key": "b", "value": "1"}]
    assert bulk(client, *pairs).json()["result"]["unsuccessful_keys"] == ["b"]
    assert bulk(client, pairs[1]).status_code == 200
    assert bulk(client, pairs[0]).status_code == 429


def test_namespaces_keep_their_own_pace(client: TestClient) -> None:
    other = client.post(NAMESPACES, json={"title": "other"}).json()["result"]["id"]
    assert client.put(f"{NAMESPACE}/values/a", content=b"1").status_code == 200
    assert client.put(f"{NAMESPACES}/{other}/values/a", content=b"1").status_code == 200


def test_the_worker_s_binding_has_no_way_around_its_rights(client: TestClient) -> None:
    assert client.put(f"{NAMESPACE}/values/x/ai/run/y", content=b"1", headers=BINDING).status_code == 403
    assert client.get(NAMESPACE.replace(defaults.CLOUDFLARE_ACCOUNT_ID, "x"), headers=BINDING).status_code == 403


def test_a_drop_breaks_the_connection_instead_of_answering_500(cloudflare_cloud: CloudflareCloud) -> None:
    cloudflare_cloud.faults.set([Fault(kind="drop")])
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(cloudflare_cloud.base_url)
