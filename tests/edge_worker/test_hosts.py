"""Hosts without a shop, and records that can't be shown: a clear page, the right status, no content."""

import dataclasses
from typing import Any

import pytest

from storefront import app as storefront_app
from storefront import pages
from storefront.bindings import cell_variable
from storefront.documents import CLOSED, SUSPENDED, UNCONNECTED, DomainRecord, TenantRef
from tests.edge_worker.memory import Platform, shop_record

pytestmark = pytest.mark.anyio


async def test_an_unknown_host_gets_a_neutral_404(platform: Platform) -> None:
    answer = await platform.get("https://nobody.test/products")
    assert answer.status_code == 404
    assert "There is no shop at this address" in answer.text
    assert "Pots" not in answer.text


async def test_the_neutral_page_follows_the_browsers_language(platform: Platform) -> None:
    answer = await platform.get("https://nobody.test/", accept_language="fr, de-CH;q=0.8, en;q=0.5")
    assert "Unter dieser Adresse gibt es keinen Shop" in answer.text


@pytest.mark.parametrize("host", ["", "a b", "-a.test", "a..test", "x" * 64 + ".test", "[::1]", "pots.test/.."])
async def test_a_malformed_host_gets_a_400_page(platform: Platform, host: str) -> None:
    answer = await platform.get("https://pots.test/", host=host)
    assert answer.status_code == 400
    assert "This address isn’t valid" in answer.text
    assert platform.KV.reads == []


async def test_case_port_and_trailing_dot_do_not_matter(platform: Platform) -> None:
    assert (await platform.get("https://pots.test/", host="POTS.test.:443")).status_code == 200


@pytest.mark.parametrize("value", ["", "not json", "[]", '{"version": 99, "tenant": {}}', '{"version": 1}', "[" * 9999])
async def test_a_record_that_can_not_be_read_is_being_updated(platform: Platform, value: str) -> None:
    platform.KV.values["domain:pots.test"] = value
    answer = await platform.get("https://pots.test/")
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "This shop is being updated" in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("status", "code"), [(SUSPENDED, 451), (CLOSED, 410)])
async def test_a_shop_that_is_offline_shows_none_of_its_content(platform: Platform, status: str, code: int) -> None:
    record = shop_record()
    platform.publish(dataclasses.replace(record, tenant=dataclasses.replace(record.tenant, status=status)))
    for path in ("/", "/products", "/products/jug-1", "/search?q=jug", "/sitemap.xml", "/robots.txt", "/nope"):
        answer = await platform.get(f"https://pots.test{path}")
        assert answer.status_code == code
        assert "jug" not in answer.text.lower()
        assert "Pots" not in answer.text
    assert platform.FETCH.requests == []


async def test_kv_down_is_a_503_page(platform: Platform) -> None:
    platform.KV.down = True
    answer = await platform.get("https://pots.test/")
    assert answer.status_code == 503
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_path_is_a_404_in_the_shops_own_clothes(platform: Platform) -> None:
    answer = await platform.get("https://pots.test/nope")
    assert answer.status_code == 404
    assert "Pots" in answer.text
    assert platform.KV.reads == ["domain:pots.test"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_pages_can_only_be_viewed(platform: Platform, method: str) -> None:
    answer = await platform.get("https://pots.test/products", method=method)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


async def test_an_unexpected_failure_is_a_page_with_a_reference_and_no_traceback(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: object, **_kwargs: object) -> str:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(pages, "landing", broken)
    answer = await platform.get("https://pots.test/")
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert answer.headers["x-request-id"] in caplog.text
    assert "secret detail" not in answer.text


async def test_healthz_needs_no_shop(platform: Platform) -> None:
    answer = await platform.get("https://nobody.test/healthz")
    assert (answer.status_code, answer.text[:3]) == (200, "ok ")
    assert platform.KV.reads == []


def test_a_cells_variables_carry_its_name() -> None:
    platform = Platform()
    platform.__dict__["TURSO_URL_EU_2"] = "https://eu.test"
    assert cell_variable(platform, "TURSO_URL", "eu-2") == "https://eu.test"
    assert cell_variable(platform, "TURSO_URL", "default") == platform.TURSO_URL
    assert cell_variable(platform, "TURSO_URL", "us") == ""


async def test_a_host_that_nobody_has_proven_names_no_shop(platform: Platform) -> None:
    record = DomainRecord(tenant=TenantRef(id="", status=UNCONNECTED))
    platform.publish(record, "claimed.test")
    answer = await platform.get("https://claimed.test/products")
    assert answer.status_code == 404
    assert "This address is not connected yet" in answer.text
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", "/"),
        ("/products/jug-1?ref=a%20b&x=1", "/products/jug-1?ref=a%20b&x=1"),
        ("/no/such%2Fpage?q=%C3%A9", "/no/such%2Fpage?q=%C3%A9"),
        ("/sitemap.xml", "/sitemap.xml"),
        ("//evil.test/x", "/evil.test/x"),
    ],
)
async def test_a_host_that_moved_sends_visitors_to_the_same_page_on_the_primary(
    platform: Platform, path: str, target: str
) -> None:
    platform.publish(dataclasses.replace(shop_record(), redirect_to="pots.test"), "www.pots.test")
    answer = await platform.get("https://www.pots.test" + path)
    assert answer.status_code == 308
    assert answer.headers["location"] == "https://pots.test" + target
    assert platform.KV.reads == ["domain:www.pots.test"]


async def test_a_redirect_keeps_the_method(platform: Platform) -> None:
    platform.publish(dataclasses.replace(shop_record(), redirect_to="pots.test"), "www.pots.test")
    answer = await platform.get("https://www.pots.test/products", method="POST")
    assert (answer.status_code, answer.headers["location"]) == (308, "https://pots.test/products")


async def test_a_host_that_redirects_to_itself_is_shown(platform: Platform) -> None:
    platform.publish(dataclasses.replace(shop_record(), redirect_to="pots.test"), "pots.test")
    assert (await platform.get("https://pots.test/")).status_code == 200


async def raw(platform: Platform, path: str, *headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
    """One request past any client's clean-up: the status and the body."""
    sent: list[Any] = []
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https",
        "path": path, "raw_path": path.encode(), "query_string": b"", "headers": list(headers), "env": platform,
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await storefront_app.app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


async def test_two_host_headers_show_no_shop(platform: Platform) -> None:
    for hosts in ((b"pots.test", b"other.test"), (b"other.test", b"pots.test"), (b"pots.test", b"pots.test")):
        status, body = await raw(platform, "/", *((b"host", host) for host in hosts))
        assert (status, b"Pots" in body) == (400, False)


async def test_a_request_line_in_absolute_form_shows_no_shop(platform: Platform) -> None:
    for path in ("http://pots.test/", "https://other.test/", "*"):
        status, body = await raw(platform, path, (b"host", b"pots.test"))
        assert (status, b"Pots" in body) == (400, False)


async def test_headers_of_proxies_do_not_choose_the_shop(platform: Platform) -> None:
    for header in ("x-forwarded-host", "forwarded", "x-original-host", "x-host"):
        answer = await platform.get("https://nobody.test/", **{header.replace("-", "_"): "pots.test"})
        assert answer.status_code == 404
    assert set(platform.KV.reads) == {"domain:nobody.test"}
