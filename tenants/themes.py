"""Looks to start from; each keeps WCAG AA in light and dark (a test says so)."""

import dataclasses

from storefront.documents import Theme


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    name: str
    theme: Theme

    @property
    def tokens(self) -> dict[str, str | int]:
        """What choosing it sets; the shop's own pictures stay."""
        pictures = ("logo_url", "favicon_url")
        return {name: value for name, value in dataclasses.asdict(self.theme).items() if name not in pictures}


def _preset(name: str, light: str, dark: str, font: str, radius: int) -> Preset:
    """`light` and `dark` are accent, background and text."""
    names = ("accent", "background", "text")
    colours = dict(zip(names, light.split(), strict=True))
    colours |= {f"{token}_dark": colour for token, colour in zip(names, dark.split(), strict=True)}
    return Preset(name=name, theme=Theme(**colours, font=font, radius=radius))


PRESETS = (
    _preset("Evergreen", "#1f5f4a #ffffff #1b1f23", "#7fd1b0 #14171a #eceff1", "sans", 8),
    _preset("Harbour", "#1d4f91 #f7f9fc #15202e", "#8ab8f5 #0f1722 #e8eef6", "sans", 4),
    _preset("Clay", "#9a3f1d #fdf8f3 #2b1d16", "#f0a37f #1c1512 #f4e9e2", "serif", 2),
    _preset("Orchard", "#8a1f3d #fffdf9 #241619", "#f39ab2 #1a1214 #f6e9ec", "classic", 12),
    _preset("Meadow", "#4a6116 #fbfcf5 #1e2413", "#bcd879 #14180d #edf2e0", "humanist", 16),
    _preset("Graphite", "#2b2f36 #ffffff #16181c", "#d5dae1 #101214 #f0f2f4", "mono", 0),
)
