"""Messages, assets and the small texts around a page."""

import re
import string
from pathlib import Path

import pytest

import storefront
from storefront import assets, pages
from storefront.messages import LANGUAGES, Messages, direction

ROOT = Path(storefront.__file__).parents[2]


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_every_language_has_every_message_with_the_same_placeholders(language: str) -> None:
    english, other = LANGUAGES["en"], LANGUAGES[language]
    assert other.keys() == english.keys()
    assert {key: placeholders(text) for key, text in other.items()} == {k: placeholders(t) for k, t in english.items()}


def test_templates_ask_only_for_messages_that_exist() -> None:
    asked = set(re.findall(r"""\bt\(['"]([a-z_-]+)['"][,)]""", "".join(assets.TEMPLATES.values())))
    assert len(asked) > 30
    assert asked <= LANGUAGES["en"].keys()


def test_an_unknown_locale_speaks_english_and_knows_its_direction() -> None:
    assert Messages("xx-YY")("home") == "Home"
    assert (direction("ar-EG"), direction("de")) == ("rtl", "ltr")


def test_the_style_sheets_address_carries_its_digest_and_it_stays_small() -> None:
    css = (ROOT / "public" / "static" / "storefront.css").read_bytes()
    assert assets.digest(css) == assets.STYLESHEET_DIGEST, "run: python -m storefront.assets"
    assert len(css) <= 26 * 1024


@pytest.mark.parametrize("count", range(3, 13))
def test_a_gallery_fills_its_grid_without_a_hole(count: int) -> None:
    columns, extra = {
        "feature": (3, 3), "quarters": (4, 0), "quarters-feature": (4, 3), "wide": (3, 2), "double": (3, 1),
    }[pages.gallery_layout(count)]  # fmt: skip
    assert (count + extra) % columns == 0


def test_paragraphs_escape_and_keep_line_ends() -> None:
    assert str(pages.paragraphs("a<b\nc\r\n\r\nd")) == "<p>a&lt;b<br>c</p><p>d</p>"


def test_plain_text_and_shorten_make_a_description() -> None:
    assert pages.plain_text("<p>One&amp;two</p><ul><li>three</li></ul>") == "One&two three"
    assert pages.shorten("one two three", 9) == "one two…"
