"""Six first landing pages by trade, from `starters/*.toml`: words and colours that a merchant makes their own."""

import dataclasses
import functools
import html
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenants.content import clean_content

FOLDER = Path(__file__).parent / "starters"
ORDER = ("general", "fashion", "food", "home", "outdoor", "services")
DEFAULT = ORDER[0]
NAME = "{shop}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Starter:
    """A trade's landing page. `landing` holds the theme and the description, `sections` pairs of kind and content."""

    key: str
    title: str
    hint: str
    landing: Mapping[str, Any]
    sections: tuple[tuple[str, Mapping[str, Any]], ...]

    def landing_for(self, shop: str) -> dict[str, Any]:
        return {"seo_title": shop, **_named(dict(self.landing), shop)}

    def sections_for(self, shop: str) -> list[tuple[str, dict[str, Any]]]:
        """The sections with the shop's name in them, as checked as a merchant's own. Raises ValidationError."""
        return [(kind, clean_content(kind, _named(dict(content), shop))) for kind, content in self.sections]


@functools.cache
def starters() -> dict[str, Starter]:
    """All of them by key, in the order in which they are offered."""
    return {key: _read(key) for key in ORDER}


def _read(key: str) -> Starter:
    values = tomllib.loads((FOLDER / f"{key}.toml").read_text("utf-8"))
    sections = tuple((section.pop("kind"), section) for section in values["sections"])
    return Starter(
        key=key, title=values["title"], hint=values["hint"], landing=values["landing"], sections=sections
    )  # fmt: skip


def _named(value: Any, shop: str, field: str = "") -> Any:
    """`value` with the shop's name wherever it says so, however deep; escaped where the field is HTML."""
    if isinstance(value, dict):
        return {key: _named(one, shop, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_named(one, shop, field) for one in value]
    if not isinstance(value, str):
        return value
    return value.replace(NAME, html.escape(shop) if field.endswith("_html") else shop)
