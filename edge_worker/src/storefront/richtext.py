"""The second lock on rich text: Django sanitises it on save, and the edge lets only plain mark-up through.

Whatever is not on the list below, scripts included, comes out as visible text, never as mark-up.
"""

from html.parser import HTMLParser

from markupsafe import Markup, escape

from storefront.links import safe_image, safe_url

_ALLOWED = frozenset(
    "p h2 h3 h4 h5 h6 ul ol li dl dt dd a strong b em i u s small sub sup br hr blockquote code pre img "
    "table thead tbody tfoot tr th td caption figure figcaption span div".split()
)
_VOID = frozenset(("br", "hr", "img"))


class _Cleaner(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _ALLOWED:
            self.handle_data(self.get_starttag_text() or "")
        elif tag == "img":
            self._image(dict(attrs))
        else:
            self.out.append(f"<{tag}{self._attributes(tag, dict(attrs))}>")
            if tag not in _VOID:
                self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in _ALLOWED and tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _ALLOWED:
            self.handle_data(f"</{tag}>")
        elif tag in self.open:
            while self.open:
                closing = self.open.pop()
                self.out.append(f"</{closing}>")
                if closing == tag:
                    break

    def handle_data(self, data: str) -> None:
        self.out.append(str(escape(data)))

    def _attributes(self, tag: str, attributes: dict[str, str | None]) -> str:
        if tag == "a" and (address := safe_url(attributes.get("href") or "")):
            return f' href="{escape(address)}"'
        if tag in ("td", "th"):
            spans = ((name, attributes.get(name) or "") for name in ("colspan", "rowspan"))
            return "".join(f' {name}="{value}"' for name, value in spans if value.isascii() and value.isdigit())
        return ""

    def _image(self, attributes: dict[str, str | None]) -> None:
        if address := safe_image(attributes.get("src") or ""):
            alt = escape(attributes.get("alt") or "")
            self.out.append(f'<img src="{escape(address)}" alt="{alt}" loading="lazy" decoding="async">')


def clean(html: str) -> Markup:
    """Safe mark-up: balanced, listed elements, no attributes but checked addresses and table spans."""
    if "<" not in html and "&" not in html:
        return Markup("<p>{}</p>").format(html) if html.strip() else Markup("")
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    cleaner.out.extend(f"</{tag}>" for tag in reversed(cleaner.open))
    return Markup("".join(cleaner.out))  # noqa: S704 - built above from escaped parts only
