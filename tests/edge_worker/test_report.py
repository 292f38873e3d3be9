"""Shoppers report a page: the form, what is kept of it, and what those who misuse it get."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from controlplane.adapters.turso import TursoDatabase
from controlplane.localcloud.sqld import Sqld
from storefront import telemetry
from storefront.documents import Config
from storefront.http_bindings import HttpFetch, WindowLimiter
from storefront.messages import LANGUAGES
from storefront.messages_report import REASONS
from tests.edge_worker.memory import TELEMETRY, Platform, shop_record

pytestmark = pytest.mark.anyio

FORM = "application/x-www-form-urlencoded"
URL = "https://pots.test/report"


async def send(platform: Platform, url: str = URL, body: bytes | None = None, **typed: Any) -> httpx.Response:
    headers = typed.pop("headers", {"origin": url.removesuffix("/report"), "sec_fetch_site": "same-origin"})
    fields = {"reason": "scam", "page": "/products/jug-1", "text": "It never came.", "email": ""} | typed
    content = urlencode(fields).encode() if body is None else body
    return await platform.post(url, content, content_type=FORM, **headers)


@pytest.fixture
async def kept(platform: Platform, telemetry_sqld: Sqld, telemetry_database: TursoDatabase) -> AsyncIterator[Platform]:
    """The platform with a real telemetry database."""
    async with httpx.AsyncClient(trust_env=False) as client:
        platform.TELEMETRY_URL, platform.TELEMETRY_WRITE_TOKEN = telemetry_sqld.url, telemetry_sqld.rw_token
        platform.FETCH = HttpFetch(client)  # type: ignore[assignment]
        yield platform


def rows(database: TursoDatabase) -> list[dict[str, Any]]:
    return [row.asdict() for row in database.execute("SELECT * FROM report ORDER BY id")]


async def test_every_page_leads_to_the_form_which_knows_where_one_came_from(platform: Platform) -> None:
    page = (await platform.get("https://pots.test/products/jug-1")).text
    [link] = re.findall(r'href="(/report[^"]*)"', page)
    form = await platform.get(f"https://pots.test{link}")
    assert form.status_code == 200
    assert 'name="page" value="/products/jug-1"' in form.text
    assert "/report" not in form.text.split("<footer")[1]
    assert form.headers["cache-control"] == "no-store"
    assert '<meta name="robots" content="noindex">' in form.text
    assert "Disallow: /report" in (await platform.get("https://pots.test/robots.txt")).text


async def test_a_report_is_kept_and_thanked_for(kept: Platform, telemetry_database: TursoDatabase) -> None:
    text = "Fälschung 🧣\r\n<script>alert(1)</script>'; DROP TABLE report; --"
    answer = await send(kept, reason="counterfeit", text=text, email="ada@example.com")
    assert (answer.status_code, answer.headers["location"]) == (303, "/report/thanks")
    thanks = await kept.get("https://pots.test/report/thanks")
    assert (thanks.status_code, thanks.headers["cache-control"]) == (200, "no-store")
    assert "Your report has arrived" in thanks.text
    [row] = rows(telemetry_database)
    assert (row["tenant_id"], row["page"], row["reason"], row["email"]) == (
        "t-a", "/products/jug-1", "counterfeit", "ada@example.com",
    )  # fmt: skip
    assert row["text"] == text.replace("\r\n", "\n")


async def test_reporters_are_told_apart_and_not_named(kept: Platform, telemetry_database: TursoDatabase) -> None:
    for address in ("203.0.113.7", "203.0.113.7", "203.0.113.8"):
        own = {"origin": "https://pots.test", "cf_connecting_ip": address}
        assert (await send(kept, headers=own)).status_code == 303
    one, again, other = (row["reporter"] for row in rows(telemetry_database))
    assert one == again != other
    assert "203.0.113" not in one + other


async def test_a_report_says_which_shop_it_is_of_by_its_host_alone(
    kept: Platform, telemetry_database: TursoDatabase
) -> None:
    kept.publish(shop_record("Lamps", "t-b"))
    await send(kept, tenant="t-b", tenant_id="t-b", shop="lamps")
    await send(kept, "https://lamps.test/report")
    assert [row["tenant_id"] for row in rows(telemetry_database)] == ["t-a", "t-b"]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("https://pots.test/products/jug-1?x=1", "/products/jug-1?x=1"),
        ("//evil.test/", "/"), ("https://evil.test/", "/"), ("https://pots.test.evil.test/x", "/"),
        ("javascript:alert(1)", "/"), ("/\\evil.test", "/"), ("", "/"), ("/a\x00\nb", "/a  b"),
        ("/" + "x" * 999, "/" + "x" * 299),
    ],
)  # fmt: skip
async def test_the_page_is_one_of_this_shop(platform: Platform, typed: str, wanted: str) -> None:
    await send(platform, page=typed)
    assert platform.FETCH.written[-1][3].replace("\n", " ") == wanted


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": ""}, "Please choose what is wrong."),
        ({"reason": "boredom"}, "Please choose what is wrong."),
        ({"text": "x" * 1001}, "it has 1001."),
        ({"email": "not an address"}, "can’t be right"),
        ({"email": "a@b.c"}, "can’t be right"),
    ],
)
async def test_what_is_wrong_is_told_beside_what_was_typed(platform: Platform, typed: Any, said: str) -> None:
    answer = await send(platform, **({"text": "Kept <b>text</b>"} | typed))
    assert answer.status_code == 422
    assert said in answer.text
    assert "Kept &lt;b&gt;text" in answer.text or "xxx" in answer.text
    assert not platform.FETCH.written


async def test_a_thousand_characters_fit_however_the_browser_sends_its_line_ends(platform: Platform) -> None:
    assert (await send(platform, text="😀" * 999 + "x")).status_code == 303
    assert (await send(platform, text="\r\n".join(["a" * 99] * 10))).status_code == 303


async def test_script_in_any_field_comes_back_as_text(platform: Platform) -> None:
    script = '"><script>alert(1)</script>'
    answer = await send(platform, page="/" + script, reason=script, text="</textarea>" + script, email=script)
    assert answer.status_code == 422
    assert "<script>alert" not in answer.text
    shown = await platform.get(f"{URL}?{urlencode({'page': '/' + script})}")
    assert "<script>alert" not in shown.text


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"origin": "https://pots.test.evil.test"},
        {"origin": "https://pots.test:444"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site", "origin": "https://pots.test"},
    ],
)
async def test_another_sites_page_reports_nothing(platform: Platform, headers: dict[str, str]) -> None:
    answer = await send(platform, headers=headers)
    assert answer.status_code == 403
    assert "shop’s own page" in answer.text
    assert not platform.FETCH.written


async def test_a_program_that_fills_in_everything_is_thanked_for_nothing(platform: Platform) -> None:
    answer = await send(platform, website="https://spam.test")
    assert (answer.status_code, answer.headers["location"]) == (303, "/report/thanks")
    assert not platform.FETCH.written


async def test_ten_megabytes_are_not_read(platform: Platform) -> None:
    """Neither with an honest length nor with a lie about it."""
    for headers in ({}, {"content_length": "10"}):
        answer = await send(platform, body=b"text=" + b"x" * 10_000_000, headers=headers)
        assert answer.status_code == 413
    many = urlencode([(f"f{number}", "x") for number in range(500)]).encode()
    assert (await send(platform, body=many)).status_code == 413
    assert not platform.FETCH.written


async def test_a_flood_is_stopped_by_visitor_and_shop(platform: Platform) -> None:
    platform.VISITOR_LIMITER = WindowLimiter(2, 60)
    kinds = [(await send(platform, text="Kept")).status_code for _ in range(3)]
    assert kinds == [303, 303, 429]
    answer = await send(platform, text="Not lost")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert "Not lost</textarea>" in answer.text
    platform.publish(shop_record("Lamps", "t-b"))
    assert (await send(platform, "https://lamps.test/report")).status_code == 303  # counted by shop
    platform.SHOP_LIMITER = WindowLimiter(0, 60)
    own = {"origin": "https://pots.test", "cf_connecting_ip": "203.0.113.9"}
    assert (await send(platform, headers=own)).status_code == 429


async def test_a_full_database_takes_no_more_and_says_so(
    kept: Platform, telemetry_database: TursoDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "MOST_REPORTS_OF_SHOP", 2)
    assert [(await send(kept)).status_code for _ in range(3)] == [303, 303, 503]
    kept.publish(shop_record("Lamps", "t-b"))
    assert (await send(kept, "https://lamps.test/report")).status_code == 303
    monkeypatch.setattr(telemetry, "MOST_REPORTS", 3)
    assert (await send(kept, "https://lamps.test/report")).status_code == 503
    assert len(rows(telemetry_database)) == 3


async def test_while_the_database_is_away_the_page_says_so_and_loses_nothing(platform: Platform) -> None:
    platform.FETCH.down.add(TELEMETRY)
    answer = await send(platform, text="Important", email="ada@example.com")
    assert answer.status_code == 503
    assert "could not be taken just now" in answer.text
    assert "Important</textarea>" in answer.text
    assert 'value="ada@example.com"' in answer.text
    assert '<option value="scam" selected>' in answer.text


async def test_a_german_shop_asks_in_german(platform: Platform) -> None:
    platform.publish(shop_record(config=Config(locale="de-AT")))
    page = (await platform.get(URL)).text
    assert "Was stimmt nicht?" in page
    assert "Diese Seite melden" in (await platform.get("https://pots.test/")).text


def test_every_reason_has_its_words() -> None:
    for words in LANGUAGES.values():
        assert all(words[f"report_reason_{reason}"] for reason in REASONS)
    assert max(map(len, REASONS)) <= 16


async def test_other_methods_are_refused(platform: Platform) -> None:
    assert (await platform.get(URL, method="DELETE")).status_code == 405
    assert (await platform.get(URL, method="HEAD")).status_code == 200
