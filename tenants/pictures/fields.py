"""The picture field of the admin's forms: an address to type, or a picture chosen from the shop's library."""

from typing import Any

from django.forms.widgets import Script
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget


def urls() -> dict[str, str]:
    """Where the picker's script asks."""
    return {name: reverse(f"admin:tenants_picture_{name}") for name in ("library", "upload")}


class PictureInput(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    """Beside the address a button that opens the library of `shop` (its id), or of the one chosen in the form.

    Without JavaScript it is a plain field. `alt` names the field that the picture's description is suggested to.
    """

    template_name = "tenants/admin/pictures/input.html"

    class Media:
        css = {"all": ("tenants/pictures.css",)}
        js = [Script("tenants/pictures/field.js", type="module")]

    def __init__(self, *, alt: str = "", attrs: dict[str, Any] | None = None) -> None:
        self.alt, self.shop, self.base = alt, "", ""
        super().__init__({"inputmode": "url", "placeholder": "https://… or /…", "spellcheck": "false", **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        context["picker"] = {"urls": urls(), "shop": self.shop, "base": self.base, "alt": self.alt}
        return context
