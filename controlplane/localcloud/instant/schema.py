"""The storefront's namespaces and links as a declaration, until `instant-cli push` brings `instant.schema.ts`."""

import dataclasses
import uuid
from collections.abc import Iterator
from typing import Literal

from controlplane.localcloud.instant.attrs import Attr, DataType


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attribute:
    """`type` "json" is unchecked. Optional attributes may be missing or null; the others must have a value."""

    label: str
    type: DataType | Literal["json"]
    indexed: bool = False
    unique: bool = False
    optional: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Link:
    """`has` says how many entities each side links to; `on_delete` is what the deletion of the reverse side does."""

    on: str
    label: str
    has: Literal["one", "many"]
    reverse_on: str
    reverse_label: str
    reverse_has: Literal["one", "many"]
    required: bool = False
    on_delete: Literal["cascade"] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schema:
    namespaces: dict[str, tuple[Attribute, ...]]
    links: tuple[Link, ...] = ()

    def attrs(self, app_id: str) -> Iterator[Attr]:
        """The declaration as attributes; ids derive from app and name, so a restart finds its own again."""
        for etype, attributes in self.namespaces.items():
            yield Attr(id=_id(app_id, etype, "id"), forward=_identity(app_id, etype, "id"), unique=True)
            for attribute in attributes:
                yield _blob(app_id, etype, attribute)
        for link in self.links:
            yield _ref(app_id, link)


def _id(app_id: str, *names: str) -> str:
    return str(uuid.uuid5(uuid.UUID(app_id), "/".join(names)))


def _identity(app_id: str, etype: str, label: str) -> tuple[str, str, str]:
    return (_id(app_id, etype, label, "ident"), etype, label)


def _blob(app_id: str, etype: str, attribute: Attribute) -> Attr:
    return Attr(
        id=_id(app_id, etype, attribute.label),
        forward=_identity(app_id, etype, attribute.label),
        data_type=None if attribute.type == "json" else attribute.type,
        indexed=attribute.indexed,
        unique=attribute.unique,
        required=not attribute.optional,
    )


def _ref(app_id: str, link: Link) -> Attr:
    return Attr(
        id=_id(app_id, link.on, link.label),
        forward=_identity(app_id, link.on, link.label),
        reverse=_identity(app_id, link.reverse_on, link.reverse_label),
        value_type="ref",
        cardinality=link.has,
        unique=link.reverse_has == "one",
        required=link.required,
        on_delete=link.on_delete,
    )


STOREFRONT = Schema(
    namespaces={
        "tenants": (
            Attribute(label="slug", type="string", unique=True, indexed=True),
            Attribute(label="name", type="string"),
            Attribute(label="status", type="string", indexed=True),
            Attribute(label="currency", type="string"),
            Attribute(label="locale", type="string"),
        ),
        "products": (
            Attribute(label="tenantId", type="string", indexed=True),
            Attribute(label="slug", type="string", indexed=True),
            Attribute(label="title", type="string", indexed=True),
            Attribute(label="descriptionHtml", type="string"),
            Attribute(label="price", type="number", indexed=True),
            Attribute(label="compareAtPrice", type="number", optional=True),
            Attribute(label="currency", type="string"),
            Attribute(label="imageUrl", type="string"),
            Attribute(label="imageAlt", type="string"),
            Attribute(label="stock", type="number", optional=True),
            Attribute(label="available", type="boolean", indexed=True),
            Attribute(label="tags", type="json"),
            Attribute(label="position", type="number", indexed=True),
            Attribute(label="updatedAt", type="date"),
        ),
        "carts": (
            Attribute(label="tenantId", type="string", indexed=True),
            Attribute(label="ownerId", type="string", indexed=True),
            Attribute(label="shareSecret", type="string", indexed=True, optional=True),
            Attribute(label="createdAt", type="date"),
        ),
        "cartItems": (
            Attribute(label="productId", type="string", indexed=True),
            Attribute(label="quantity", type="number"),
            Attribute(label="addedAt", type="date"),
        ),
    },
    links=(
        Link(
            on="products",
            label="tenant",
            has="one",
            reverse_on="tenants",
            reverse_label="products",
            reverse_has="many",
            on_delete="cascade",
        ),
        Link(
            on="cartItems",
            label="cart",
            has="one",
            reverse_on="carts",
            reverse_label="items",
            reverse_has="many",
            required=True,
            on_delete="cascade",
        ),
    ),
)
