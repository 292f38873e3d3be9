"""The stand-in refuses what Cloudflare refuses, and keeps what it was given."""

from pathlib import Path

import cloudflare
import pytest
from starlette.testclient import TestClient

from controlplane.localcloud import defaults
from controlplane.localcloud.cloudflare.app import app
from controlplane.localcloud.cloudflare.limits import Pace, Quota
from tests.plugins.cloudflare import CloudflareCloud

NAMESPACES = f"/client/v4/accounts/{defaults.CLOUDFLARE_ACCOUNT_ID}/storage/kv/namespaces"
VALUES = f"{NAMESPACES}/{defaults.CLOUDFLARE_KV_NAMESPACE_ID}/values"
TOKEN = {"Authorization": f"Bearer {defaults.CLOUDFLARE_API_TOKEN}"}
BINDING = {"Authorization": f"Bearer {defaults.CLOUDFLARE_BINDING_TOKEN}"}


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return TestClient(app(tmp_path / "kv.sqlite3", enforce_write_rate=False), headers=TOKEN)


def test_a_stranger_is_refused_in_the_envelope(client: TestClient) -> None:
    answer = client.get(NAMESPACES, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401
    assert answer.json()["errors"] == [{"code": 10000, "message": "Authentication error"}]


def test_another_account_is_refused(client: TestClient) -> None:
    assert client.get("/client/v4/accounts/someone-else/storage/kv/namespaces").status_code == 403


def test_the_worker_s_binding_reads_and_never_writes(client: TestClient) -> None:
    client.put(f"{VALUES}/a", content=b"1")
    assert client.get(f"{VALUES}/a", headers=BINDING).content == b"1"
    assert client.put(f"{VALUES}/a", content=b"2", headers=BINDING).status_code == 403
    assert client.put(f"{NAMESPACES}/x/bulk", json=[], headers=BINDING).status_code == 403


def test_a_missing_key_is_404_and_an_unknown_route_has_an_envelope(client: TestClient) -> None:
    assert client.get(f"{VALUES}/nothing").json()["errors"][0]["code"] == 10009
    assert client.get("/client/v4/accounts/x/zones").json()["success"] is False


def test_bytes_come_back_as_they_were(client: TestClient) -> None:
    client.put(f"{VALUES}/a%2Fb", content=bytes(range(256)))
    assert client.get(f"{VALUES}/a%2Fb").content == bytes(range(256))


@pytest.mark.parametrize("size", [10_001])
def test_a_bulk_write_of_too_many_pairs_is_refused(client: TestClient, size: int) -> None:
    pairs = [{"key": str(number), "value": ""} for number in range(size)]
    url = f"{NAMESPACES}/{defaults.CLOUDFLARE_KV_NAMESPACE_ID}/bulk"
    assert client.put(url, json=pairs).status_code == 400
    assert client.put(url, json=pairs[:-1]).json()["result"]["successful_key_count"] == 10_000


def test_a_value_over_25_mib_is_refused(client: TestClient) -> None:
    assert client.put(f"{VALUES}/big", content=bytes(25 * 1024 * 1024 + 1)).status_code == 413


def test_values_survive_a_restart(tmp_path: Path) -> None:
    for expected in (404, 200):
        client = TestClient(app(tmp_path / "kv.sqlite3"), headers=TOKEN)
        assert client.get(f"{VALUES}/a").status_code == expected
        client.put(f"{VALUES}/a", content=b"1")
        client.app.state.store.close()  # type: ignore[attr-defined]
        client.app.state.zone_store.close()  # type: ignore[attr-defined]


def test_an_expired_key_is_gone(client: TestClient) -> None:
    client.put(f"{VALUES}/a?expiration=1", content=b"1")
    assert client.get(f"{VALUES}/a").status_code == 404
    assert client.put(f"{VALUES}/a?expiration_ttl=59", content=b"1").status_code == 400


def test_the_sdk_s_own_calls_for_single_values_work(cloudflare_cloud: CloudflareCloud) -> None:
    sdk = cloudflare.Cloudflare(api_token=cloudflare_cloud.api_token, base_url=cloudflare_cloud.base_url, max_retries=0)
    values, account = sdk.kv.namespaces.values, cloudflare_cloud.account_id
    namespace = sdk.kv.namespaces.create(account_id=account, title="another")
    assert namespace
    assert {one.title for one in sdk.kv.namespaces.list(account_id=account)} == {"another", "storefront"}
    values.update("a:b", namespace_id=namespace.id, account_id=account, value=b"hello", metadata='{"n": 1}')
    assert values.get("a:b", namespace_id=namespace.id, account_id=account).read() == b"hello"
    assert sdk.kv.namespaces.metadata.get("a:b", namespace_id=namespace.id, account_id=account) == {"n": 1}
    values.delete("another key", namespace_id=namespace.id, account_id=account)
    with pytest.raises(cloudflare.NotFoundError):
        values.get("another key", namespace_id=namespace.id, account_id=account)


def test_the_page_says_what_it_is_and_escapes_keys(client: TestClient) -> None:
    client.put(f"{VALUES}/<script>", content=b"1")
    page = client.get("/").text
    assert "Not Cloudflare" in page
    assert "<script>" not in page


def test_one_write_a_second_per_key() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert [pace.may_write(["a"]), pace.may_write(["a"]), pace.may_write(["b"])] == [True, False, True]
    now[0] = 1.0
    assert pace.may_write(["a"])


def test_1200_requests_then_five_minutes_of_nothing() -> None:
    now = [0.0]
    quota = Quota(lambda: now[0])
    assert not any(quota.retry_after() for _ in range(1200))
    assert quota.retry_after() == 300
    now[0] = 299.0
    assert quota.retry_after() == 1
    now[0] = 300.0
    assert quota.retry_after() == 0
