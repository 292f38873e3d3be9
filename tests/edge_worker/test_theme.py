"""Colours that can be read, whatever was picked."""

import re

import pytest

from storefront import theme
from storefront.documents import Theme

HARD = ("#ffff00", "#777777", "#000000", "#ffffff", "#1f5f4a", "#ff66aa")


@pytest.mark.parametrize("accent", HARD)
@pytest.mark.parametrize("background", HARD)
def test_text_links_and_buttons_pass_wcag_aa_in_both_schemes(accent: str, background: str) -> None:
    picked = Theme(
        accent=accent, accent_dark=accent, background=background, background_dark=background, text=accent,
        text_dark=accent,
    )  # fmt: skip
    for scheme in theme.stylesheet(picked).split("@media"):
        token = {name: theme.parse(value, "#000000") for name, value in re.findall(r"--([a-z-]+):(#\w{6})", scheme)}
        for ink, ground in (
            ("text", "bg"), ("text", "surface"), ("muted", "bg"), ("muted", "surface"), ("link", "bg"),
            ("link", "surface"), ("on-accent", "accent"),
        ):  # fmt: skip
            assert theme.contrast(token[ink], token[ground]) >= 4.5, (ink, ground, scheme)


def test_black_on_white_has_the_contrast_that_wcag_names() -> None:
    assert theme.contrast(theme.BLACK, theme.WHITE) == pytest.approx(21)
    assert theme.contrast((119, 119, 119), theme.WHITE) == pytest.approx(4.48, abs=0.01)


def test_a_readable_colour_is_left_as_it_was_picked() -> None:
    assert theme.readable((31, 95, 74), theme.WHITE) == (31, 95, 74)
