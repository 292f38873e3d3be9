"""The kinds of section a landing page is made of, one frozen dataclass each; standard library only.

A field's metadata says how a merchant edits it (`input`, `label`, `max_length`, …): the admin generates its
forms from here, and `templates/sections/{kind}.html` renders it. A new kind is one dataclass and one template.
"""

import dataclasses
from typing import Any, ClassVar

from storefront.codec import DocumentError, decode, encode


def _field(input: str, label: str, *, default: Any = "", **metadata: Any) -> Any:  # noqa: A002 - HTML's own word
    return dataclasses.field(default=default, metadata={"input": input, "label": label, **metadata})


def line(label: str, *, max_length: int = 120, required: bool = False, help: str = "") -> Any:  # noqa: A002
    """One line of plain text, at most `max_length` characters."""
    return _field("text", label, max_length=max_length, required=required, help=help)


def paragraph(label: str, *, max_length: int = 600, required: bool = False, help: str = "") -> Any:  # noqa: A002
    """Several lines of plain text."""
    return _field("paragraph", label, max_length=max_length, required=required, help=help)


def rich(label: str, *, max_length: int = 6000, required: bool = False) -> Any:
    """Sanitised HTML (nh3 on save)."""
    return _field("rich", label, max_length=max_length, required=required)


def link(label: str, *, required: bool = False) -> Any:
    """A site-relative path, or http(s), mailto or tel."""
    return _field("link", label, max_length=500, required=required)


def image(label: str, *, required: bool = False, help: str = "") -> Any:  # noqa: A002
    """The address of an image, http(s) or site-relative; its `…_alt` stands beside it."""
    return _field("image", label, max_length=500, required=required, help=help)


def choice(label: str, default: str, **choices: str) -> Any:
    """One of `choices` (value=label)."""
    return _field("choice", label, default=default, choices=choices)


def integer(label: str, default: int, *, minimum: int, maximum: int) -> Any:
    return _field("integer", label, default=default, minimum=minimum, maximum=maximum)


def repeated(label: str, *, maximum: int) -> Any:
    """A repeatable group: a tuple of the dataclass in the annotation, at most `maximum` long."""
    return _field("items", label, default=(), maximum=maximum)


def colour(label: str, default: str) -> Any:
    """A colour as #rrggbb."""
    return _field("colour", label, default=default, max_length=7)


def flag(label: str, *, help: str = "") -> Any:  # noqa: A002
    """Yes or no; no where nothing is said."""
    return _field("flag", label, default=False, help=help)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProductCard:
    """What a product list shows: enough to render a card without asking Instant. `price` in minor units."""

    id: str
    slug: str
    title: str
    price: int
    compare_at_price: int | None = None
    image_url: str = ""
    image_alt: str = ""
    available: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Section:
    """One block of a landing page. `kind` names its class, its template and its form."""

    kind: ClassVar[str] = ""
    label: ClassVar[str] = ""
    description: ClassVar[str] = ""

    @classmethod
    def decode(cls, value: Any, where: str = "section") -> "Section | None":
        """The section that a JSON object names by `kind`; None for a kind from a newer publisher."""
        if not isinstance(value, dict):
            raise DocumentError(f"{where}: expected an object")
        found = SECTIONS.get(str(value.get("kind")))
        return decode(found, value, where) if found else None

    def encode(self) -> dict[str, Any]:
        encoded: dict[str, Any] = encode(self)
        return encoded


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnnouncementBar(Section):
    kind = "announcement_bar"
    label = "Announcement bar"
    description = "One line across the top of the page: free shipping, opening hours, a sale."
    text: str = line("Announcement", max_length=160, required=True)
    link_label: str = line("Link text", max_length=40)
    link_url: str = link("Link")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hero(Section):
    kind = "hero"
    label = "Hero"
    description = "The first thing shoppers see: a headline, a picture and a button."
    eyebrow: str = line("Small line above", max_length=60)
    heading: str = line("Headline", required=True)
    text: str = paragraph("Text", max_length=320)
    image_url: str = image("Picture")
    image_alt: str = line("Picture description", max_length=200, help="Read aloud to people who can't see it.")
    button_label: str = line("Button text", max_length=40)
    button_url: str = link("Button link")
    secondary_label: str = line("Second button text", max_length=40)
    secondary_url: str = link("Second button link")
    layout: str = choice(
        "Layout", "split", split="Text beside picture", overlay="Text over picture", centered="Centred"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class FeaturedProducts(Section):
    kind = "featured_products"
    label = "Featured products"
    description = "A few products that you choose by hand."
    heading: str = line("Heading")
    text: str = paragraph("Text", max_length=320)
    product_ids: tuple[str, ...] = _field("products", "Products", default=(), maximum=8)
    cards: tuple[ProductCard, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProductGrid(Section):
    kind = "product_grid"
    label = "Product grid"
    description = "Products that follow a rule: newest, cheapest, or all with a tag."
    heading: str = line("Heading")
    tag: str = line("Only products with this tag", max_length=60, help="Empty: all products.")
    limit: int = integer("How many", 8, minimum=1, maximum=24)
    sort: str = choice(
        "Order", "position", position="My own order", newest="Newest first",
        price_asc="Price, low to high", price_desc="Price, high to low",
    )  # fmt: skip
    cards: tuple[ProductCard, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class RichText(Section):
    kind = "rich_text"
    label = "Rich text"
    description = "Headings, paragraphs, lists and links."
    heading: str = line("Heading")
    body_html: str = rich("Text", required=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageWithText(Section):
    kind = "image_with_text"
    label = "Image with text"
    description = "A picture on one side, your words on the other."
    heading: str = line("Heading")
    body_html: str = rich("Text", max_length=3000)
    image_url: str = image("Picture", required=True)
    image_alt: str = line("Picture description", max_length=200)
    image_side: str = choice("Picture on the", "left", left="Left", right="Right")
    button_label: str = line("Button text", max_length=40)
    button_url: str = link("Button link")


@dataclasses.dataclass(frozen=True, kw_only=True)
class GalleryImage:
    image_url: str = image("Picture", required=True)
    image_alt: str = line("Picture description", max_length=200)
    caption: str = line("Caption")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gallery(Section):
    kind = "gallery"
    label = "Gallery"
    description = "Three to twelve pictures in a grid."
    heading: str = line("Heading")
    images: tuple[GalleryImage, ...] = repeated("Pictures", maximum=12)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Testimonial:
    quote: str = paragraph("Quote", max_length=400, required=True)
    author: str = line("Name", max_length=80)
    role: str = line("Place or role", max_length=80)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Testimonials(Section):
    kind = "testimonials"
    label = "Testimonials"
    description = "What your customers say about you."
    heading: str = line("Heading")
    items: tuple[Testimonial, ...] = repeated("Quotes", maximum=6)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    question: str = line("Question", max_length=200, required=True)
    answer: str = paragraph("Answer", max_length=1000, required=True)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Faq(Section):
    kind = "faq"
    label = "FAQ"
    description = "Questions that open to their answers."
    heading: str = line("Heading")
    items: tuple[Question, ...] = repeated("Questions", maximum=12)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Logo:
    image_url: str = image("Logo", required=True)
    image_alt: str = line("Name", max_length=80)
    url: str = link("Link")


@dataclasses.dataclass(frozen=True, kw_only=True)
class LogoStrip(Section):
    kind = "logo_strip"
    label = "Logo strip"
    description = "Press, partners or certificates in a row."
    heading: str = line("Heading")
    logos: tuple[Logo, ...] = repeated("Logos", maximum=12)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OpeningHours:
    days: str = line("Days", max_length=60, required=True)
    hours: str = line("Hours", max_length=60)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Contact(Section):
    kind = "contact"
    label = "Contact and opening hours"
    description = "Where you are, when you are open, how to reach you."
    heading: str = line("Heading")
    text: str = paragraph("Text", max_length=400)
    email: str = _field("email", "E-mail", max_length=254)
    phone: str = line("Phone", max_length=40)
    address: str = paragraph("Address", max_length=300)
    hours: tuple[OpeningHours, ...] = repeated("Opening hours", maximum=8)
    map_url: str = link("Link to a map")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CallToAction(Section):
    kind = "call_to_action"
    label = "Call to action"
    description = "One clear invitation with one button."
    heading: str = line("Heading", required=True)
    text: str = paragraph("Text", max_length=320)
    button_label: str = line("Button text", max_length=40)
    button_url: str = link("Button link")


SECTIONS: dict[str, type[Section]] = {
    section.kind: section
    for section in (
        AnnouncementBar, Hero, FeaturedProducts, ProductGrid, RichText, ImageWithText, Gallery, Testimonials, Faq,
        LogoStrip, Contact, CallToAction,
    )
}  # fmt: skip
