"""Builds a host's KV record and a tenant's Instant entity from the database."""

import dataclasses
import itertools
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from controlplane.adapters.cloudflare_kv import MIN_TTL, Expiring
from controlplane.publishing.documents import INSTANT, Document, Entity
from controlplane.publishing.models import OwnedDocument
from storefront.documents import (
    ACTIVE,
    MAX_RECORD_BYTES,
    UNCONNECTED,
    ChatSettings,
    Config,
    DomainRecord,
    ProductCard,
    RealtimeCell,
    Section,
    Seo,
    TenantRef,
)
from tenants.models import Domain, Landing, ShareLink, Tenant, pages_of_tenants
from tenants.page import Page

ChatConfig = Callable[[Tenant], tuple[ChatSettings, str]]
"""A tenant's chat settings and the model that its questions are embedded with (settings.CHAT_CONFIG)."""

Cards = Callable[[Tenant, Sequence[Section]], Sequence[Section]]
"""Fills the product cards of a tenant's sections (settings.PRODUCT_CARDS)."""


CatalogState = Callable[[Tenant], str]
"""Changes with every product of a tenant (settings.CATALOG_STATE)."""


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
    domains = Domain.objects.served().filter(host__in=hosts).select_related("tenant__landing__live", "tenant__plan")
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


def record_of(tenant: Tenant, page: Page | None = None) -> DomainRecord:
    """The record of a tenant's hosts: of what is live, or of `page` (a draft, an unsaved form).

    A tenant that is not active gets a record that says so and carries nothing else.
    """
    if tenant.status != ACTIVE:
        return DomainRecord(tenant=TenantRef(id=str(tenant.pk), status=tenant.status))
    if page is None:
        page = live_page(tenant)
    fill_cards: Cards = import_string(settings.PRODUCT_CARDS)
    chat_config: ChatConfig = import_string(settings.CHAT_CONFIG)
    catalog_state: CatalogState = import_string(settings.CATALOG_STATE)
    chat, embedding_model = chat_config(tenant)
    primary = Domain.objects.served().filter(tenant=tenant, is_primary=True).values_list("host", flat=True).first()
    return DomainRecord(
        tenant=TenantRef(id=str(tenant.pk), status=tenant.status, name=tenant.name, slug=tenant.slug),
        canonical_host=primary or "",
        seo=dataclasses.replace(page.seo, title=page.seo.title or tenant.name),
        theme=page.theme,
        navigation=page.navigation,
        sections=tuple(fill_cards(tenant, page.sections)),
        config=Config(
            currency=tenant.currency,
            locale=tenant.locale,
            realtime=_realtime(tenant.realtime_cell),
            chat=chat,
            vectors=tenant.vector_cell,
            embedding_model=embedding_model,
        ),
        catalog=catalog_state(tenant),
    )


def live_page(tenant: Tenant) -> Page:
    """What shoppers see. Where nothing is live: no sections, in the clothes of what was live last."""
    landing: Landing | None = getattr(tenant, "landing", None)
    if landing is None:
        return Page()
    if landing.live is not None:
        return landing.live.page
    last = landing.last_published
    clothes = last.page if last else Page()
    return Page(seo=Seo(noindex=True), theme=clothes.theme, navigation=clothes.navigation)


def draft_records(tokens: Collection[str]) -> Mapping[str, Expiring]:
    """By token, the records of drafts that are shared now; KV removes each when its link ends."""
    soon = timezone.now() + timedelta(seconds=MIN_TTL)
    links = ShareLink.objects.filter(token__in=tokens, expires_at__gt=soon, tenant__status=ACTIVE)
    links = links.select_related("tenant__landing").prefetch_related("tenant__landing__sections")
    return {
        link.token: Expiring(fit(record_of(link.tenant, link.tenant.landing.page)).to_json(), link.expires_at)
        for link in links
    }


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

    What merchants wrote always fits: publishing refused it otherwise. Cards grow with products' titles after
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


def largest_sections(record: DomainRecord) -> list[tuple[str, str, int]]:
    """Label, words and bytes of each section, the largest first."""
    rows = [(section.label, _name(section), bytes_of(section)) for section in record.sections]
    return sorted(rows, key=lambda row: row[2], reverse=True)


def bytes_of(section: Section) -> int:
    alone = DomainRecord(tenant=TenantRef(id="", status=""), sections=(section,))
    return size_of(alone) - size_of(dataclasses.replace(alone, sections=()))


def _name(section: Section) -> str:
    return str(getattr(section, "heading", "") or getattr(section, "text", ""))[:40]
