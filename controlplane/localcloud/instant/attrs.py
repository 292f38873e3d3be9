"""Attributes and links as the wire shows them, and an app's immutable catalogue of them (server: db/model/attr.clj)."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from controlplane.localcloud.instant.errors import invalid

DataType = Literal["string", "number", "boolean", "date"]
Identity = tuple[str, str, str]  # (ident id, namespace, label)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Attr:
    """One attribute (`value_type` blob) or link (ref). `data_type` None means unchecked: json or any."""

    id: str
    forward: Identity
    reverse: Identity | None = None
    value_type: Literal["blob", "ref"] = "blob"
    cardinality: Literal["one", "many"] = "one"
    unique: bool = False
    indexed: bool = False
    required: bool = False
    data_type: DataType | None = None
    on_delete: Literal["cascade"] | None = None
    on_delete_reverse: Literal["cascade"] | None = None
    catalog: Literal["user", "system"] = "user"

    @property
    def etype(self) -> str:
        return self.forward[1]

    @property
    def label(self) -> str:
        return self.forward[2]

    @property
    def name(self) -> str:
        return f"{self.etype}.{self.label}"

    @property
    def is_ref(self) -> bool:
        return self.value_type == "ref"

    @property
    def reverse_etype(self) -> str | None:
        return self.reverse[1] if self.reverse else None

    @property
    def keyed(self) -> bool:
        """Whether triples of this attribute carry a comparable key that an index covers."""
        return self.indexed or self.unique or self.is_ref

    def to_wire(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "forward-identity": list(self.forward),
            "reverse-identity": list(self.reverse) if self.reverse else None,
            "value-type": self.value_type,
            "cardinality": self.cardinality,
            "unique?": self.unique,
            "index?": self.indexed,
            "required?": self.required,
            "checked-data-type": self.data_type,
            "inferred-types": [self.data_type] if self.data_type else [],
            "catalog": self.catalog,
            "on-delete": self.on_delete,
            "on-delete-reverse": self.on_delete_reverse,
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> "Attr":
        """Unknown keys are ignored: the genuine client sends a stray `isUnsynced`. Nobody may claim the catalogue."""
        if not {"id", "forward-identity", "value-type", "cardinality", "unique?", "index?"} <= wire.keys():
            raise invalid("tx-steps", dict(wire), {"expected": "attr?", "in": []})
        if wire["value-type"] == "ref" and not wire.get("reverse-identity"):
            raise invalid("tx-steps", dict(wire), {"expected": "reverse-identity", "in": []})
        reverse = wire.get("reverse-identity")
        return cls(
            id=wire["id"],
            forward=_identity(wire["forward-identity"]),
            reverse=_identity(reverse) if reverse else None,
            value_type=wire["value-type"],
            cardinality=wire["cardinality"],
            unique=bool(wire["unique?"]),
            indexed=bool(wire["index?"]),
            required=bool(wire.get("required?")),
            data_type=wire.get("checked-data-type"),
            on_delete=wire.get("on-delete"),
            on_delete_reverse=wire.get("on-delete-reverse"),
        )


def _identity(wire: Any) -> Identity:
    if not (isinstance(wire, list) and len(wire) == 3 and all(isinstance(part, str) and part for part in wire)):
        raise invalid("tx-steps", wire, {"expected": "identity?", "in": []})
    return (wire[0], wire[1], wire[2])


class Attrs:
    """A snapshot of an app's attributes, looked up by id, by (namespace, label) from either end, or by namespace."""

    def __init__(self, attrs: Iterable[Attr] = ()) -> None:
        self._by_id = {attr.id: attr for attr in attrs}
        self._forward = {attr.forward[1:]: attr for attr in self}
        self._reverse = {attr.reverse[1:]: attr for attr in self if attr.reverse}
        self._by_etype: dict[str, list[Attr]] = defaultdict(list)
        for attr in self:
            self._by_etype[attr.etype].append(attr)

    def __iter__(self) -> Iterator[Attr]:
        return iter(self._by_id.values())

    def get(self, attr_id: str) -> Attr | None:
        return self._by_id.get(attr_id)

    def forward(self, etype: str, label: str) -> Attr | None:
        return self._forward.get((etype, label))

    def reverse(self, etype: str, label: str) -> Attr | None:
        return self._reverse.get((etype, label))

    def of(self, etype: str) -> list[Attr]:
        return self._by_etype.get(etype, [])

    def etypes(self) -> list[str]:
        return sorted(self._by_etype)

    def with_attr(self, attr: Attr) -> "Attrs":
        return Attrs([*self, attr])

    def without(self, attr_id: str) -> "Attrs":
        return Attrs(attr for attr in self if attr.id != attr_id)
