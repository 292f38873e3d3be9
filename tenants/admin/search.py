"""The search over everything (Ctrl+K): a merchant's shops, products, knowledge, domains and sections; for platform
staff shops by slug, host, name or an owner's e-mail. In place of Unfold's own, which keeps what it found for five
minutes, whoever has lost a shop meanwhile, and shows every row there is.
"""

import time
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from tenants.admin import shop_list
from tenants.admin.home import groups_of
from tenants.models import Section, Tenant
from tenants.scoping import Role, is_platform_staff, may, roles

MOST = 8
"""Results of each kind."""

LEAST_LETTERS, MOST_LETTERS = 2, 80
MOST_SECTIONS = 300


def view(request: HttpRequest) -> HttpResponse:
    """The palette's answer, as Unfold's script expects it."""
    began = time.perf_counter()
    term = request.GET.get("s", "").replace("\0", "").strip()[:MOST_LETTERS]
    found = list(results(request, term)) if len(term) >= LEAST_LETTERS else []
    context = {"results": found, "page_obj": {"count": len(found)}, "page_counter": 0,
               "execution_time": time.perf_counter() - began, "command_show_history": False}  # fmt: skip
    template = "unfold/helpers/command_results.html"
    return TemplateResponse(request, template, context, headers={"HX-Trigger": "search"})


search = admin.site.admin_view(view)


def results(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    yield from islice(pages(request, term), MOST)
    if is_platform_staff(request):
        yield from shops_of_the_platform(term)
    elif may(request, Role.VIEWER):
        names = dict(Tenant.objects.filter(pk__in=list(roles(request))).values_list("pk", "name"))
        for kind in (shops, products, knowledge, domains, sections):
            yield from islice(kind(names, term), MOST)


def pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    """The sidebar's entries by name."""
    for group in groups_of(request):
        for item in group["items"]:
            if term.lower() in item["title"].lower():
                yield SearchResult(title=item["title"], description="Page", link=item["link"], icon=item["icon"])


def shops_of_the_platform(term: str) -> Iterator[SearchResult]:
    ids = list(shop_list.shops_found(term))
    exact_first = sorted(
        Tenant.objects.filter(pk__in=ids).order_by("slug")[: shop_list.MOST_FOUND],
        key=lambda shop: (term.lower() not in (shop.slug, shop.name.lower()), shop.slug),
    )
    for shop in exact_first[: 2 * MOST]:
        link = reverse("admin:tenants_tenant_change", args=[shop.pk])
        yield SearchResult(title=shop.name, description=f"Shop {shop.slug}", link=link, icon="storefront")


Names = dict[uuid.UUID, str]
"""The shops to look in: id and name."""


def shops(names: Names, term: str) -> Iterator[SearchResult]:
    for shop in Tenant.objects.filter(Q(name__icontains=term) | Q(slug__icontains=term), pk__in=names)[:MOST]:
        link = reverse("admin:tenants_tenant_change", args=[shop.pk])
        yield SearchResult(title=shop.name, description=f"Shop {shop.slug}", link=link, icon="storefront")


def products(names: Names, term: str) -> Iterator[SearchResult]:
    return _found("catalog", "Product", Q(title__icontains=term) | Q(slug__icontains=term), names, "sell")


def knowledge(names: Names, term: str) -> Iterator[SearchResult]:
    return _found("chat", "KnowledgeSource", Q(title__icontains=term), names, "menu_book")


def domains(names: Names, term: str) -> Iterator[SearchResult]:
    return _found("tenants", "Domain", Q(host__icontains=term.lower()), names, "language")


def _found(app: str, model: str, wanted: Q, names: Names, icon: str) -> Iterator[SearchResult]:
    rows: Any = apps.get_model(app, model)._default_manager.filter(wanted, tenant__in=names)
    kind = str(rows.model._meta.verbose_name).capitalize()
    for row in rows.order_by("pk")[:MOST]:
        link = reverse(f"admin:{app}_{model.lower()}_change", args=[row.pk])
        yield SearchResult(title=str(row), description=f"{kind} of {names[row.tenant_id]}", link=link, icon=icon)


def sections(names: Names, term: str) -> Iterator[SearchResult]:
    """Of the drafts, by any text in them; looked through here, as a database sees JSON's escapes, not letters."""
    rows = Section.objects.filter(landing__tenant__in=names).select_related("landing").order_by("landing", "position")
    for row in rows[:MOST_SECTIONS]:
        if any(term.lower() in text.lower() for text in _texts(row.content)):
            link = reverse("admin:tenants_landing_change", args=[row.landing_id])
            shop = names[row.landing.tenant_id]
            yield SearchResult(title=str(row), description=f"Landing page of {shop}", link=link, icon="web")


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list | dict):
        for value in content.values() if isinstance(content, dict) else content:
            yield from _texts(value)
