"""The stand-in's KV answers every request as Cloudflare's own simulator (miniflare's local explorer) does.

Where the two disagree the stand-in is wrong. What the simulator does not have at all is listed in docs/runtime.md.
"""

import time
from typing import Any

import httpx
import pytest

from tests.edge_worker.runtimes.simulator import Simulator
from tests.plugins.cloudflare import CloudflareCloud

pytestmark = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]

ODD = "values/%C3%BC%20%E2%98%95%2Fx%3Fy%23z%2541"


def pair(**changed: Any) -> dict[str, Any]:
    return {"key": "a", "value": "v", **changed}


def in_seconds(seconds: int) -> dict[str, Any]:
    return pair(expiration=int(time.time()) + seconds)


ASKED: dict[str, tuple[str, str, Any]] = {
    "two pairs": ("PUT", "bulk", [pair(), pair(key="ü ☕/x?y#z%41")]),
    "a value": ("GET", "values/a", None),
    "a value under an odd key": ("GET", ODD, None),
    "no such value": ("GET", "values/none", None),
    "a pair twice": ("PUT", "bulk", [pair(), pair()]),
    "two values for a key": ("PUT", "bulk", [pair(), pair(value="w")]),
    "no pairs": ("PUT", "bulk", []),
    "an empty key": ("PUT", "bulk", [pair(key="")]),
    "a dot": ("PUT", "bulk", [pair(key=".")]),
    "a key of 512": ("PUT", "bulk", [pair(key="k" * 512)]),
    "a key of 513": ("PUT", "bulk", [pair(key="k" * 513)]),
    "a key of 514 bytes": ("PUT", "bulk", [pair(key="ü" * 257)]),
    "no value": ("PUT", "bulk", [{"key": "a"}]),
    "a number": ("PUT", "bulk", [pair(value=1)]),
    "null": ("PUT", "bulk", [pair(value=None)]),
    "no list": ("PUT", "bulk", pair()),
    "a field that is unknown": ("PUT", "bulk", [pair(more=1)]),
    "too many pairs": ("PUT", "bulk", [pair(key=f"k{number}") for number in range(10_001)]),
    "an end in the past": ("PUT", "bulk", [in_seconds(-10)]),
    "an end that is near": ("PUT", "bulk", [in_seconds(30)]),
    "an end": ("PUT", "bulk", [in_seconds(600)]),
    "an end at 0": ("PUT", "bulk", [pair(expiration=0)]),
    "a minute": ("PUT", "bulk", [pair(expiration_ttl=60)]),
    "less than a minute": ("PUT", "bulk", [pair(expiration_ttl=59)]),
    "no time": ("PUT", "bulk", [pair(expiration_ttl=0)]),
    "a minute as text": ("PUT", "bulk", [pair(expiration_ttl="60")]),
    "metadata": ("PUT", "bulk", [pair(key="m", metadata={"n": 1})]),
    "metadata of 1024 bytes": ("PUT", "bulk", [pair(metadata="ü" * 511)]),
    "metadata of 1026 bytes": ("PUT", "bulk", [pair(metadata="ü" * 512)]),
    "base64": ("PUT", "bulk", [pair(key="b", value="aGk=", base64=True)]),
    "what base64 said": ("GET", "values/b", None),
    "base64 without padding": ("PUT", "bulk", [pair(value="aGk", base64=True)]),
    "base64 that is none": ("PUT", "bulk", [pair(value="*", base64=True)]),
    "values": ("POST", "bulk/get", {"keys": ["a", "none", "m", "a"]}),
    "values of no keys": ("POST", "bulk/get", {"keys": []}),
    "values of 100 keys": ("POST", "bulk/get", {"keys": [f"k{number}" for number in range(100)]}),
    "values of 101 keys": ("POST", "bulk/get", {"keys": [f"k{number}" for number in range(101)]}),
    "values of a long key": ("POST", "bulk/get", {"keys": ["k" * 513]}),
    "values of an empty key": ("POST", "bulk/get", {"keys": [""]}),
    "keys": ("GET", "keys", None),
    "keys with a prefix": ("GET", "keys?prefix=m", None),
    "nine keys": ("GET", "keys?limit=9", None),
    "ten keys": ("GET", "keys?limit=10", None),
    "1001 keys": ("GET", "keys?limit=1001", None),
    "a deletion": ("DELETE", "values/m", None),
    "a deletion of nothing": ("DELETE", "values/none", None),
    "deletions": ("POST", "bulk/delete", ["a", "none", "a"]),
    "no deletions": ("POST", "bulk/delete", []),
    "a deletion of an empty key": ("POST", "bulk/delete", [""]),
    "a deletion of a number": ("POST", "bulk/delete", [1]),
    "too many deletions": ("POST", "bulk/delete", [f"k{number}" for number in range(10_001)]),
}


def outcome(answer: httpx.Response) -> tuple[int, Any]:
    """Status and, of a success, the body. Words and codes of a refusal are anybody's, and so is an end's second."""
    if answer.status_code != 200:
        assert answer.json()["success"] is False
        return answer.status_code, None
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return 200, answer.content
    body = answer.json()
    if isinstance(body["result"], list):
        body["result"] = [{key: value for key, value in one.items() if key != "expiration"} for one in body["result"]]
    return 200, body


def test_the_stand_in_answers_as_cloudflares_simulator(cloudflare_cloud: CloudflareCloud, simulator: Simulator) -> None:
    cloud = cloudflare_cloud
    namespaces = f"{cloud.base_url}/accounts/{cloud.account_id}/storage/kv/namespaces/{cloud.namespace_id}/"
    theirs_url = f"{simulator.explorer}/storage/kv/namespaces/{simulator.namespace_id}/"
    differences = {}
    with httpx.Client(headers={"authorization": f"Bearer {cloud.api_token}"}, timeout=60) as client:
        for name, (method, path, body) in ASKED.items():
            cloud.forget_pace()
            content = {} if body is None else {"json": body}
            ours, theirs = (
                outcome(client.request(method, base + path, **content)) for base in (namespaces, theirs_url)
            )
            if ours != theirs:
                differences[name] = (ours, theirs)
    assert differences == {}
