"""Builds a host's KV record and a tenant's Instant entity from the database."""

import dataclasses
import itertools
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Prefetch
from django.utils.module_loading import import_string

from controlplane.publishing.documents import INSTANT, Document, Entity
from controlplane.publishing.models import OwnedDocument
from storefront.documents import (
    ACTIVE,
    MAX_RECORD_BYTES,
    UNCONNECTED,
    Config,
    DomainRecord,
    ProductCard,
    RealtimeCell,
    Section,
    Seo,
    TenantRef,
)
from tenants.models import Domain, Landing, Tenant, pages_of_tenants
from tenants.models import Section as SectionRow

Cards = Callable[[Tenant, Sequence[Section]], Sequence[Section]]
"""Fills the product cards of a tenant's sections (settings.PRODUCT_CARDS)."""


def documents_of_tenants(tenant_ids: Sequence[uuid.UUID], *, everything: bool) -> Iterable[OwnedDocument]:
    """The tenants' entities and pages; with `everything` also their products, knowledge and whatever apps add."""
    yield from ((tenant_id, Document(INSTANT, f"tenants:{tenant_id}")) for tenant_id in tenant_ids)
    yield from pages_of_tenants(tenant_ids)
    if everything:
        for path in settings.TENANT_DOCUMENTS:
            yield from import_string(path)(tenant_ids)


def all_documents() -> Iterable[OwnedDocument]:
    """Every document of every tenant: what `republish` marks."""
    ids = Tenant.objects.order_by("pk").values_list("pk", flat=True).iterator()
    while some := list(itertools.islice(ids, 500)):
        yield from documents_of_tenants(some, everything=True)


def tenant_entities(ids: Collection[str]) -> Mapping[str, Entity]:
    tenants = Tenant.objects.filter(pk__in=ids, status=ACTIVE)
    return {
        str(tenant.pk): Entity(
            cell=tenant.realtime_cell,
            attributes={name: getattr(tenant, name) for name in ("slug", "name", "status", "currency", "locale")},
        )
        for tenant in tenants
    }


def domain_records(hosts: Collection[str]) -> Mapping[str, str]:
    """The stored JSON by host, for every host that somebody claims; at most MAX_RECORD_BYTES each.

    A host that nobody has proven gets a record that names no shop: the claim alone must not tell who made it.
    """
    sections = Prefetch("tenant__landing__sections", SectionRow.objects.order_by("position", "id"))
    served = Domain.objects.served().filter(host__in=hosts)
    domains = served.select_related("tenant__landing").prefetch_related(sections)
    claimed = Domain.objects.filter(host__in=hosts).values_list("host", flat=True)
    records = {host: UNPROVEN.to_json() for host in claimed}
    bodies: dict[uuid.UUID, DomainRecord] = {}
    for domain in domains:
        if domain.tenant_id not in bodies:
            bodies[domain.tenant_id] = record_of(domain.tenant)
        records[domain.host] = host_record(domain, bodies[domain.tenant_id]).to_json()
    return records


UNPROVEN = DomainRecord(tenant=TenantRef(id="", status=UNCONNECTED))


def host_record(domain: Domain, body: DomainRecord) -> DomainRecord:
    """The shop's record as this host carries it: whole, or only where its visitors are sent."""
    primary = body.canonical_host
    if body.tenant.status != ACTIVE or not domain.redirects or primary in ("", domain.host):
        return fit(body)
    return DomainRecord(tenant=body.tenant, canonical_host=primary, redirect_to=primary)


def record_of(tenant: Tenant, sections: Sequence[Section] | None = None) -> DomainRecord:
    """The record of a tenant's hosts; `sections` stand in for the stored ones (an unsaved form).

    A tenant that is not active gets a record that says so and carries nothing else.
    """
    if tenant.status != ACTIVE:
        return DomainRecord(tenant=TenantRef(id=str(tenant.pk), status=tenant.status))
    landing: Landing | None = getattr(tenant, "landing", None)
    if sections is None:
        sections = [row.document for row in landing.sections.all()] if landing else []
    fill_cards: Cards = import_string(settings.PRODUCT_CARDS)
    primary = Domain.objects.served().filter(tenant=tenant, is_primary=True).values_list("host", flat=True).first()
    return DomainRecord(
        tenant=TenantRef(id=str(tenant.pk), status=tenant.status, name=tenant.name, slug=tenant.slug),
        canonical_host=primary or "",
        seo=_seo(tenant, landing),
        theme=landing.theme if landing else DomainRecord.theme,
        sections=tuple(fill_cards(tenant, sections)),
        config=Config(
            currency=tenant.currency,
            locale=tenant.locale,
            realtime=_realtime(tenant.realtime_cell),
            vectors=tenant.vector_cell,
            embedding_model=settings.EMBEDDING_MODEL,
        ),
    )


def _seo(tenant: Tenant, landing: Landing | None) -> Seo:
    if landing is None:
        return Seo(title=tenant.name)
    return Seo(
        title=landing.seo_title or tenant.name,
        description=landing.seo_description,
        image_url=landing.seo_image_url,
    )


def _realtime(cell: str) -> RealtimeCell:
    """The public part of a cell's settings; the admin token stays here."""
    config = settings.REALTIME_CELLS[cell]
    public = {name: config[name] for name in ("app_id", "api_uri", "websocket_uri")}
    return RealtimeCell(name=cell, **public)


def size_of(record: DomainRecord) -> int:
    """Bytes of the stored value."""
    return len(record.to_json().encode())


def fit(record: DomainRecord) -> DomainRecord:
    """The record with as many product cards as fit.

    What merchants wrote always fits: `check_size` refused it otherwise. Cards grow with products' titles after
    that check, and a page that shows fewer of them with a link to all is better than one that can't be published.
    """
    while size_of(record) > MAX_RECORD_BYTES:
        longest = max(record.sections, key=lambda section: len(cards_of(section)), default=None)
        if longest is None or not cards_of(longest):
            break
        shorter: Any = dataclasses.replace(longest, cards=cards_of(longest)[:-1])  # type: ignore[call-arg]
        record = dataclasses.replace(
            record, sections=tuple(shorter if section is longest else section for section in record.sections)
        )
    return record


def cards_of(section: Section) -> tuple[ProductCard, ...]:
    cards: tuple[ProductCard, ...] = getattr(section, "cards", ())
    return cards


def check_size(tenant: Tenant, sections: Sequence[Section]) -> None:
    """Raises ValidationError with the size and the largest sections if the landing page would not fit KV's record."""
    record = record_of(tenant, sections)
    size = size_of(record)
    if size <= MAX_RECORD_BYTES:
        return
    largest = sorted(record.sections, key=_bytes, reverse=True)[:3]
    named = ", ".join(f"{section.label} “{_name(section)}” ({_bytes(section):,} bytes)" for section in largest)
    raise ValidationError(
        f"The landing page would take {size:,} bytes; at most {MAX_RECORD_BYTES:,} fit. "
        f"Shorten or remove something. The largest sections: {named}."
    )


def _bytes(section: Section) -> int:
    alone = DomainRecord(tenant=TenantRef(id="", status=""), sections=(section,))
    return size_of(alone) - size_of(dataclasses.replace(alone, sections=()))


def _name(section: Section) -> str:
    return str(getattr(section, "heading", "") or getattr(section, "text", ""))[:40]
