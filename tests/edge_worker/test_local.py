"""The edge outside Cloudflare: bindings over HTTP, static files, configuration."""

import json

import httpx
import pytest

from storefront import local
from storefront.bindings import BindingError, variable
from storefront.http_bindings import LocalEnv
from tests.edge_worker.memory import Platform

pytestmark = pytest.mark.anyio

VARIABLES = {
    "CLOUDFLARE_API_URL": "http://cf.test/client/v4", "CLOUDFLARE_ACCOUNT_ID": "acc", "CLOUDFLARE_API_TOKEN": "tok",
    "CLOUDFLARE_KV_NAMESPACE_ID": "ns", "TURSO_URL": "http://turso.test", "OTHER_SECRET": "x",
}  # fmt: skip


def cloudflare(request: httpx.Request) -> httpx.Response:
    """Cloudflare's REST API as far as the edge asks it."""
    if request.headers["authorization"] != "Bearer tok":
        return httpx.Response(403, json={"success": False})
    if request.url.raw_path == b"/client/v4/accounts/acc/storage/kv/namespaces/ns/values/domain%3Apots.test":
        return httpx.Response(200, content="wärm".encode())
    if request.url.path.endswith("/values/domain:slow.test"):
        raise httpx.ReadTimeout("slow", request=request)
    if request.url.path == "/client/v4/accounts/acc/ai/run/@cf/a/model":
        return httpx.Response(200, json={"success": True, "result": {"data": [json.loads(request.content)["text"]]}})
    return httpx.Response(404 if "/values/" in request.url.path else 500, json={"success": False})


@pytest.fixture
def env() -> LocalEnv:
    return local.environment(VARIABLES, httpx.AsyncClient(transport=httpx.MockTransport(cloudflare)))


async def test_kv_is_read_through_the_rest_api(env: LocalEnv) -> None:
    assert await env.KV.get("domain:pots.test") == "wärm"
    assert await env.KV.get("domain:nobody.test") is None


async def test_a_timeout_is_a_binding_error(env: LocalEnv) -> None:
    with pytest.raises(BindingError, match="ReadTimeout"):
        await env.KV.get("domain:slow.test")


async def test_a_model_answers_without_the_envelope(env: LocalEnv) -> None:
    assert await env.AI.run("@cf/a/model", {"text": ["x"]}) == {"data": [["x"]]}
    with pytest.raises(BindingError, match="500"):
        await env.AI.run("@cf/none", {"text": ["x"]})


async def test_only_the_workers_own_variables_are_passed_on(env: LocalEnv) -> None:
    assert variable(env, "TURSO_URL") == "http://turso.test"
    assert variable(env, "PUBLIC_SCHEME") == "http"
    assert variable(env, "OTHER_SECRET") == ""


async def test_a_missing_variable_is_named() -> None:
    with pytest.raises(SystemExit, match="CLOUDFLARE_ACCOUNT_ID"):
        local.environment(VARIABLES | {"CLOUDFLARE_ACCOUNT_ID": ""}, httpx.AsyncClient())


async def test_static_files_and_pages_are_served_together(platform: Platform) -> None:
    transport = httpx.ASGITransport(local.serve(platform))
    async with httpx.AsyncClient(transport=transport, base_url="http://pots.test") as client:
        assert (await client.get("/static/storefront.css")).headers["content-type"].startswith("text/css")
        assert "Made to be used" in (await client.get("/")).text
        assert (await client.get("/assets/none.js")).status_code == 404
