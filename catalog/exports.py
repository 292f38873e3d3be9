"""The products in a shop's copy: as JSON, as a CSV that Shopify (and import_shopify) reads, and where pictures lie."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from catalog.models import Product
from storefront.documents import decimal_string
from tenants.exporting import Part, as_json, rows_as_json
from tenants.exports import picture_addresses
from tenants.models import Tenant

COLUMNS = (
    "Handle", "Title", "Body (HTML)", "Tags", "Published", "Option1 Name", "Option1 Value",
    "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy", "Variant Price",
    "Variant Compare At Price", "Image Src", "Image Position", "Image Alt Text", "Status",
)  # fmt: skip


def parts(tenant: Tenant) -> Iterator[Part]:
    products = Product.objects.filter(tenant=tenant).order_by("position", "pk")
    yield Part("products.json", rows_as_json(products))
    yield Part("products.csv", csv_of(tenant))
    yield Part("pictures.json", _pictures(tenant))


def csv_of(tenant: Tenant) -> Iterator[bytes]:
    """A row a product, the header first."""
    yield _line(COLUMNS)
    for product in Product.objects.filter(tenant=tenant).order_by("position", "pk").iterator(chunk_size=500):
        yield _line(_row(product, tenant.currency))


def _row(product: Product, currency: str) -> list[Any]:
    tracked = product.stock is not None
    former = product.compare_at_price
    return [
        product.slug, product.title, product.description_html, ", ".join(product.tags),
        "TRUE" if product.status == Product.Status.ACTIVE else "FALSE", "Title", "Default Title",
        "shopify" if tracked else "", product.stock if tracked else "", "deny" if tracked else "continue",
        decimal_string(product.price, currency), "" if former is None else decimal_string(former, currency),
        product.image_url, 1 if product.image_url else "", product.image_alt, product.status,
    ]  # fmt: skip


def _line(cells: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _pictures(tenant: Tenant) -> Iterator[bytes]:
    """Addresses are listed, not fetched: they lie with others."""
    products = Product.objects.filter(tenant=tenant).exclude(image_url="").values_list("image_url", flat=True)
    addresses = {*picture_addresses(tenant), *products.iterator()}
    yield as_json(sorted(addresses)) + b"\n"
