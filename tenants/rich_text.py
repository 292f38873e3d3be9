"""The rich text editor: Unfold's bundled Trix, offering just what `validators.sanitise` keeps."""

from typing import Any

from django import forms
from unfold.contrib.forms.widgets import WYSIWYG_CLASSES


class RichTextWidget(forms.Widget):
    """Edits HTML. Without JavaScript the stored text is kept as it is."""

    template_name = "tenants/admin/rich_text.html"

    class Media:
        css = {"all": ("unfold/forms/css/trix/trix.css",)}
        # Not deferred: the configuration must be there when the parser meets the first editor.
        js = ("unfold/forms/js/trix/trix.js", "tenants/rich-text.js")

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": " ".join(WYSIWYG_CLASSES), **(attrs or {})})
