"""Reads a Shopify product CSV into products of ours, without the database.

Columns, old names and new, as in Shopify's help centre: help.shopify.com/en/manual/products/import-export/using-csv
A product is one or more rows with the same handle: the first with a title describes it, rows with a price are
variants (the first one counts until there are variants here), any row may carry a picture.
"""

import contextlib
import csv
import dataclasses
import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError

from catalog.shopify_cells import CellError, Cells, description_of, minor_units, slug_of, status_of, stock_of, tags_of
from tenants.validators import validate_image_url

COLUMNS = {
    "handle": ("Handle", "URL handle"),
    "title": ("Title",),
    "description": ("Body (HTML)", "Description"),
    "tags": ("Tags",),
    "published": ("Published", "Published on online store"),
    "status": ("Status",),
    "option": ("Option1 Value",),
    "tracker": ("Variant Inventory Tracker", "Inventory tracker"),
    "quantity": ("Variant Inventory Qty", "Inventory quantity"),
    "policy": ("Variant Inventory Policy", "Continue selling when out of stock"),
    "price": ("Variant Price", "Price"),
    "compare_at_price": ("Variant Compare At Price", "Compare-at price"),
    "image": ("Image Src", "Product image URL"),
    "image_position": ("Image Position",),
    "image_alt": ("Image Alt Text",),
}
REQUIRED = ("handle", "title", "price")

TITLE_LENGTH, ALT_LENGTH, URL_LENGTH, DESCRIPTION_LENGTH = 200, 300, 500, 20_000
CELL_LIMIT = 10_000_000
"""Characters. Python's own limit of 131,072 is less than some descriptions with embedded pictures."""


class ShopifyFileError(ValueError):
    """The file as a whole can't be read; the message says what to do."""


@dataclasses.dataclass(frozen=True)
class Remark:
    """Something about a line of the file: `reason` is equal for equal cases, `value` is what was found there."""

    line: int
    reason: str
    value: str = ""


@dataclasses.dataclass(frozen=True)
class ReadProduct:
    """`values` are fields of catalog.Product; fields whose column the file lacks are missing."""

    line: int
    slug: str
    values: dict[str, Any]


@dataclasses.dataclass
class Reading:
    """What a file holds, in its order. `notes` tell how products that were taken differ from the file."""

    products: list[ReadProduct] = dataclasses.field(default_factory=list)
    skipped: list[Remark] = dataclasses.field(default_factory=list)
    notes: list[Remark] = dataclasses.field(default_factory=list)
    columns_not_taken: list[str] = dataclasses.field(default_factory=list)
    extra_variants: int = 0
    extra_images: int = 0


def read_products(file: BinaryIO, currency: str) -> Reading:
    """Reads row by row; prices become minor units of `currency`.

    Raises ShopifyFileError where the file is empty, no UTF-8, no CSV or no Shopify product CSV.
    """
    csv.field_size_limit(max(csv.field_size_limit(), CELL_LIMIT))
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        rows = _rows(text)
        header = _Header(rows)
        reading = Reading()
        groups = _groups(rows, header, reading)
    finally:
        text.detach()  # the file is the caller's to close
    reading.columns_not_taken = header.columns_not_taken
    lines_by_slug: dict[str, int] = {}
    for handle, group in groups.items():
        _take(handle, group, currency, reading, lines_by_slug)
    reading.skipped.sort(key=lambda remark: remark.line)
    return reading


def _rows(text: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Every row with its first line's number, but for empty ones."""
    reader = csv.reader(_utf8(text), strict=True)  # lenient, a stray quote would swallow the rest of the file
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise ShopifyFileError(f"The row that begins in line {line} is not valid CSV: {error}.") from None


def _utf8(text: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(text, 1):
        try:
            line.encode()
        except UnicodeEncodeError:
            raise ShopifyFileError(
                f"Line {number} is not UTF-8 text. Save the file as “CSV UTF-8” and try again."
            ) from None
        yield line.replace("\x00", "")  # PostgreSQL stores no NUL


class _Header:
    """Which column is where, and which other columns hold something."""

    def __init__(self, rows: Iterator[tuple[int, list[str]]]) -> None:
        _, self.names = next(rows, (0, []))
        if not self.names:
            raise ShopifyFileError("The file is empty.")
        places = {name.strip().casefold(): place for place, name in reversed(list(enumerate(self.names)))}
        self.places = {
            column: places[name.casefold()]
            for column, names in COLUMNS.items()
            for name in reversed(names)
            if name.casefold() in places
        }
        if missing := [" or ".join(f"“{name}”" for name in COLUMNS[c]) for c in REQUIRED if c not in self.places]:
            raise ShopifyFileError(
                f"This is not a Shopify product CSV: no column {', no column '.join(missing)}.{self._hint}"
            )
        self._other = set(range(len(self.names))) - set(self.places.values())
        self._filled: set[int] = set()

    @property
    def _hint(self) -> str:
        separated = len(self.names) == 1 and any(char in self.names[0] for char in ";\t")
        return " Separate its columns by commas." if separated else ""

    def cells(self, row: list[str]) -> Cells:
        if any(cell.strip() for cell in row[len(self.names) :]):
            raise CellError("more cells than the first line has columns")
        row = [*row, *[""] * (len(self.names) - len(row))]
        self._filled.update(place for place in self._other - self._filled if row[place].strip())
        return {column: row[place].strip() for column, place in self.places.items()}

    @property
    def columns_not_taken(self) -> list[str]:
        return [self.names[place] for place in sorted(self._filled) if self.names[place].strip()]


@dataclasses.dataclass
class _Group:
    """The rows with one handle, as far as they are needed."""

    line: int
    head: tuple[int, Cells] | None = None
    variant: tuple[int, Cells] | None = None
    variants: int = 0
    images: list[tuple[int, int, str, str]] = dataclasses.field(default_factory=list)

    def add(self, line: int, cells: Cells) -> None:
        """Raises CellError where the row describes another product."""
        if cells["title"]:
            if self.head and self.head[1]["title"] != cells["title"]:
                raise CellError("another product has this handle", f"{cells['handle']}, as line {self.head[0]}")
            self.head = self.head or (line, cells)
        if cells["price"]:
            self.variant = self.variant or (line, cells)
        self.variants += bool(cells["price"] or cells.get("option"))
        if (image := cells.get("image", "")) and image not in {known for _, _, known, _ in self.images}:
            position = cells.get("image_position", "")
            place = int(position) if position.isdecimal() and len(position) < 10 else CELL_LIMIT
            self.images.append((place, len(self.images), image, cells.get("image_alt", "")))


def _groups(rows: Iterator[tuple[int, list[str]]], header: _Header, reading: Reading) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for line, row in rows:
        try:
            cells = header.cells(row)
            if not cells["handle"]:
                raise CellError("no handle", cells["title"])
            groups.setdefault(cells["handle"], _Group(line)).add(line, cells)
        except CellError as error:
            reading.skipped.append(Remark(line, error.reason, error.value))
    return groups


def _take(handle: str, group: _Group, currency: str, reading: Reading, lines_by_slug: dict[str, int]) -> None:
    """Adds the group's product to `reading`, or why not."""
    notes: list[Remark] = []
    slug = slug_of(handle)
    try:
        values = _values(group, currency, notes)
        if slug in lines_by_slug:
            raise CellError("another handle gives the same address", f"{handle}, as line {lines_by_slug[slug]}")
    except CellError as error:
        reading.skipped.append(Remark(error.line or group.line, error.reason, error.value or handle))
        return
    if slug != handle:
        notes.append(Remark(group.line, "handle changed to fit an address", f"{handle} → {slug}"))
    lines_by_slug[slug] = group.line
    reading.products.append(ReadProduct(group.line, slug, values))
    reading.notes += notes
    reading.extra_variants += max(group.variants - 1, 0)
    reading.extra_images += max(len(group.images) - 1, 0)


def _values(group: _Group, currency: str, notes: list[Remark]) -> dict[str, Any]:
    if not group.head:
        raise CellError("no title")
    if not group.variant:
        raise CellError("no price")
    with _at(group.head[0]):
        values = _described(*group.head, notes)
    with _at(group.variant[0]):
        values |= _priced(*group.variant, currency, notes)
    if "image" in group.head[1]:
        values |= _pictured(group, notes)
    return values


@contextlib.contextmanager
def _at(line: int) -> Iterator[None]:
    try:
        yield
    except CellError as error:
        error.line = line
        raise


def _described(line: int, cells: Cells, notes: list[Remark]) -> dict[str, Any]:
    title = " ".join(cells["title"].split())
    if len(title) > TITLE_LENGTH:
        raise CellError(f"title longer than {TITLE_LENGTH} characters", f"{title[:40]}…")
    values: dict[str, Any] = {"title": title}
    if "description" in cells:
        values["description_html"] = description_of(cells["description"])
        if len(values["description_html"]) > DESCRIPTION_LENGTH:
            raise CellError(f"description longer than {DESCRIPTION_LENGTH:,} characters")
    if "tags" in cells:
        values["tags"], unfit = tags_of(cells["tags"])
        notes += [Remark(line, "tag left out (at most 50 tags of 60 characters)", f"{tag[:40]}") for tag in unfit]
    if (status := status_of(cells)) is not None:
        values["status"] = status
    if cells.get("status", "").lower() == "unlisted":
        notes.append(Remark(line, "unlisted, became a draft", title))
    return values


def _priced(line: int, cells: Cells, currency: str, notes: list[Remark]) -> dict[str, Any]:
    values: dict[str, Any] = {"price": minor_units(cells["price"], currency), **stock_of(cells)}
    if "compare_at_price" in cells:
        former = minor_units(cells["compare_at_price"] or "0", currency)
        values["compare_at_price"] = former if former > values["price"] else None
        if 0 < former <= values["price"]:
            notes.append(Remark(line, "former price left out: not above the price", cells["compare_at_price"]))
    return values


def _pictured(group: _Group, notes: list[Remark]) -> dict[str, str]:
    """The first picture by position, then by order in the file."""
    if not group.images:
        return {"image_url": "", "image_alt": ""}
    _, _, url, alt = min(group.images)
    url = f"https:{url}" if url.startswith("//") else url
    try:
        validate_image_url(url)
    except ValidationError:
        notes.append(Remark(group.line, "picture left out: not a web address", url[:80]))
        return {"image_url": "", "image_alt": ""}
    if len(url) > URL_LENGTH:
        notes.append(
            Remark(group.line, f"picture left out: address longer than {URL_LENGTH} characters", f"{url[:80]}…")
        )
        return {"image_url": "", "image_alt": ""}
    alt = " ".join(alt.split())
    if len(alt) > ALT_LENGTH:
        notes.append(Remark(group.line, f"picture description cut to {ALT_LENGTH} characters", f"{alt[:40]}…"))
    return {"image_url": url, "image_alt": alt[:ALT_LENGTH]}
