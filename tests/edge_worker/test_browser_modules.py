"""The storefront's JavaScript: its unit tests in Node, its money against Python's, its size, its words."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

from storefront import assets, money
from storefront.browser_page import connect_sources
from storefront.documents import RealtimeCell, format_money
from storefront.messages_live import SHARED, WORDS
from tests.plugins.node import NODE

WORKER = Path(__file__).parents[2] / "edge_worker"
BROWSER = WORKER / "browser"
TESTS = Path(__file__).parent / "browser"

BUDGET = 95 * 1024

AMOUNTS = [0, 1, 9, 10, 99, 100, 101, 999, 1000, 1005, 99_999, 100_000, 123_456_789, -1, -100, -1_234_567]
CURRENCIES = ["EUR", "USD", "JPY", "KWD", "CHF", "SEK", "ISK", "BHD", "GBP", "XAF", "PLN", "CZK", "CNY", "XYZ"]
LOCALES = ["en", "en-GB", "de", "de-AT", "de-CH", "fr", "sv", "nl", "ja", "pt-BR", "pl", "tlh"]


@pytest.mark.parametrize("file", sorted(path.name for path in TESTS.glob("*.test.mjs")))
def test_the_modules_own_tests_pass(file: str) -> None:
    done = subprocess.run([NODE, "--test", TESTS / file], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^# pass [1-9]|^ℹ pass [1-9]", done.stdout, re.MULTILINE), done.stdout


def test_javascript_writes_money_as_python_does() -> None:
    table = [(a, c, locale) for a in AMOUNTS for c in CURRENCIES for locale in LOCALES]
    rules = {locale: money.rules(locale) for locale in LOCALES}
    script = (
        f"import {{ formatMoney }} from {json.dumps((BROWSER / 'money.js').as_uri())};"
        "let text = ''; process.stdin.on('data', (part) => (text += part)).on('end', () => {"
        "const {table, rules} = JSON.parse(text);"
        "console.log(JSON.stringify(table.map(([a, c, l]) => formatMoney(a, c, rules[l]))));});"
    )
    command = [str(NODE), "--input-type=module", "-e", script]
    task = json.dumps({"table": table, "rules": rules})
    done = subprocess.run(command, input=task, capture_output=True, text=True, check=True)
    written = dict(zip(table, json.loads(done.stdout), strict=True))
    assert written == {row: format_money(*row) for row in table}


@pytest.mark.skipif(not assets.BUNDLE, reason="not bundled: run `make bundle`")
def test_all_that_a_browser_may_load_fits_the_budget() -> None:
    files = [*(WORKER / "public" / "assets").iterdir(), WORKER / "public" / "sw.js"]
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in files}
    assert sum(sizes.values()) <= BUDGET, sizes


@pytest.mark.skipif(not assets.BUNDLE, reason="not bundled: run `make bundle`")
def test_the_bundle_is_what_the_pages_name() -> None:
    assert set(assets.BUNDLE) >= {"start.js", "live.css"}
    assert all((WORKER / "public" / address.lstrip("/")).exists() for address in assets.BUNDLE.values())


def test_scripts_say_only_words_that_exist_and_all_of_them() -> None:
    code = "".join(path.read_text("utf-8") for path in BROWSER.glob("*.js"))
    known = {*WORDS["en"], *SHARED}
    asked = {word for word in re.findall(r"""["`]([a-z]+(?:_[a-z]+)*)["`]""", code) if word in known}
    literal = set(re.findall(r"""\bt\("([a-z_]+)""", code))
    assert literal <= known
    by_template = {
        word for word in known if re.match(r"line_|ended|phone|share|chat_error|chat_reason", word)
    }  # t(`line_${kind}`) and so on
    templates = "".join(assets.TEMPLATES.values())
    in_page = {word for word in known if f't("{word}"' in templates or f"t('{word}'" in templates}
    plurals = {f"{word}_one" for word in asked | by_template}
    assert known - asked - by_template - in_page - plurals == set()


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (("https://instant.test/x", "wss://live.test:8443/runtime"), ["https://instant.test", "wss://live.test:8443"]),
        (("http://127.0.0.1:8888", "ws://[::1]:8888/s"), ["http://127.0.0.1:8888", "ws://[::1]:8888"]),
        (("", ""), []),
        (("https://evil.test; script-src *", "javascript:x"), []),
        (("https://a.test'unsafe-inline'", "https://user@a.test"), []),
    ],
)
def test_a_page_may_talk_to_its_own_instant_only(addresses: tuple[str, str], expected: list[str]) -> None:
    assert connect_sources(RealtimeCell(api_uri=addresses[0], websocket_uri=addresses[1])) == expected
