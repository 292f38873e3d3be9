"""The Worker behind workerd, static assets as wrangler.jsonc has them; and a record that Django wrote."""

import httpx
import pytest

from controlplane.deploy.edge import WORKER
from storefront.assets import BUNDLE, STYLESHEET
from storefront.documents import domain_key
from tenants.documents import domain_records
from tests.edge_worker.runtimes.asked import Asked
from tests.edge_worker.runtimes.pyodide import Pyodide
from tests.golden.shop import golden_shop

pytestmark = [pytest.mark.pyodide, pytest.mark.xdist_group("pyodide")]


def visit(pyodide: Pyodide, path: str, host: str = "pots.test", **headers: str) -> httpx.Response:
    return httpx.get(f"{pyodide.front}{path}", headers={"host": host} | headers, timeout=30)


def test_a_page_comes_through_workerd_as_it_was_made(pyodide: Pyodide) -> None:
    ours = pyodide.ask(Asked(url="https://pots.test/")).whole()
    answer = visit(pyodide, "/")
    assert (answer.status_code, answer.headers["etag"]) == (200, ours.header("etag"))
    assert answer.text == ours.text
    unchanged = visit(pyodide, "/", **{"if-none-match": ours.header("etag")})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


def test_files_are_served_without_the_worker_and_hashed_ones_for_good(pyodide: Pyodide) -> None:
    script = visit(pyodide, next(iter(BUNDLE.values())), host="nobody.test")
    assert (script.status_code, script.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    style = visit(pyodide, STYLESHEET, host="nobody.test")
    assert style.text == (WORKER / "public/static/storefront.css").read_text("utf-8")
    assert visit(pyodide, STYLESHEET, **{"if-none-match": style.headers["etag"]}).status_code == 304


@pytest.mark.parametrize("path", ["/assets/../../wrangler.jsonc", "/static/%2e%2e/%2e%2e/wrangler.jsonc", "/_headers"])
def test_no_path_leads_out_of_the_assets(pyodide: Pyodide, path: str) -> None:
    answer = visit(pyodide, path)
    assert answer.status_code == 404
    assert "compatibility_date" not in answer.text
    assert "Cache-Control" not in answer.text


@pytest.mark.django_db
def test_a_record_that_django_writes_by_cloudflares_sdk_is_served_by_the_worker(pyodide: Pyodide) -> None:
    golden_shop()
    kv = pyodide.kv().kv()
    for host, record in domain_records(["teahouse.localhost"]).items():
        assert kv.put({domain_key(host): record}) == {}
    page = visit(pyodide, "/", host="teahouse.localhost")
    assert page.status_code == 200
    assert "Tea &amp; quiet" in page.text
    assert kv.delete([domain_key("teahouse.localhost")]) == {}
    kv.close()
    assert visit(pyodide, "/", host="teahouse.localhost").status_code == 404
