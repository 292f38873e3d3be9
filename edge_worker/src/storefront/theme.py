"""A shop's theme as CSS custom properties, with colours that can be read whatever the merchant picked.

Text and accents are moved towards black or white until WCAG AA holds (4.5 : 1) in both schemes; only values
that look like `#rrggbb` reach the style sheet.
"""

import base64
import hashlib
import re

from storefront.documents import Theme

_HEX = re.compile(r"#[0-9a-fA-F]{6}")

_SANS = 'Inter,ui-sans-serif,-apple-system,"Segoe UI Variable","Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'
_SERIF = '"Iowan Old Style","Palatino Linotype",Palatino,"URW Palladio L",P052,"Book Antiqua",Georgia,serif'
_HUMANIST = 'Optima,Candara,Seravek,"Gill Sans Nova","Gill Sans","Noto Sans",Ubuntu,Calibri,Arial,sans-serif'
_MONO = 'ui-monospace,"SF Mono","Cascadia Code","Source Code Pro",Menlo,Consolas,"DejaVu Sans Mono",monospace'

# name: (headings, text, heading weight, heading tracking)
FONTS = {
    "sans": (_SANS, _SANS, 650, "-.028em"),
    "serif": (_SERIF, _SANS, 500, "-.015em"),
    "classic": (_SERIF, _SERIF, 600, "-.012em"),
    "humanist": (_HUMANIST, _HUMANIST, 600, "-.012em"),
    "mono": (_MONO, _SANS, 600, "-.045em"),
}

Colour = tuple[int, int, int]
BLACK: Colour = (0, 0, 0)
WHITE: Colour = (255, 255, 255)


def parse(value: str, default: str) -> Colour:
    """`#rrggbb` as three integers; `default` where the value is anything else."""
    digits = value if _HEX.fullmatch(value) else default
    return int(digits[1:3], 16), int(digits[3:5], 16), int(digits[5:7], 16)


def text_of(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def luminance(colour: Colour) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Colour, other: Colour) -> float:
    """1 to 21 (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` (0 to 1) of `one`, the rest of `other`."""
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(one, other, strict=True))
    return red, green, blue


def best_ink(*grounds: Colour) -> tuple[Colour, float]:
    """Black or white, whichever is easier to read on the hardest of `grounds`, and its contrast there."""
    options = ((min(contrast(ink, ground) for ground in grounds), ink) for ink in (BLACK, WHITE))
    least, ink = max(options)
    return ink, least


def readable(colour: Colour, *grounds: Colour, minimum: float = 4.5) -> Colour:
    """`colour`, moved just far enough towards black or white to be read on all `grounds`."""
    goal, _ = best_ink(*grounds)
    for step in range(21):
        moved = mix(goal, colour, step / 20)
        if all(contrast(moved, ground) >= minimum for ground in grounds):
            return moved
    return goal


def _scheme(background: Colour, text: Colour, accent: Colour) -> str:
    surface = mix(text, background, 0.045)
    if best_ink(background, surface)[1] < 4.5:  # a middle grey: no ink suits both
        surface = background
    text = readable(text, background, surface, minimum=7)
    on_accent = WHITE if contrast(WHITE, accent) >= 4.5 else BLACK
    tokens = {
        "bg": background,
        "surface": surface,
        "tint": mix(accent, background, 0.1),
        "line": mix(text, background, 0.14),
        "field": readable(mix(text, background, 0.4), background, minimum=3),
        "muted": readable(mix(text, background, 0.66), background, surface),
        "text": text,
        "accent": accent,
        "on-accent": on_accent,
        "link": readable(accent, background, surface),
    }
    return "".join(f"--{name}:{text_of(colour)};" for name, colour in tokens.items())


def stylesheet(theme: Theme) -> str:
    """The text of the page's one `<style>` element. Nothing in it is a merchant's text."""
    plain = Theme()
    display, body, weight, tracking = FONTS.get(theme.font, FONTS["sans"])
    light = _scheme(
        parse(theme.background, plain.background), parse(theme.text, plain.text), parse(theme.accent, plain.accent)
    )
    dark = _scheme(
        parse(theme.background_dark, plain.background_dark),
        parse(theme.text_dark, plain.text_dark),
        parse(theme.accent_dark, plain.accent_dark),
    )
    return (
        f":root{{{light}--radius:{min(max(theme.radius, 0), 32)}px;--display:{display};--body:{body};"
        f"--weight:{weight};--tracking:{tracking}}}"
        f"@media (prefers-color-scheme:dark){{:root{{{dark}}}}}"
    )


def csp_hash(style: str) -> str:
    """The source expression that lets exactly this `<style>` element through a Content-Security-Policy."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"'sha256-{digest}'"
