"""Finding a shop among a million: by slug, host, name or an owner's e-mail address, each one lookup in an index.

The indexes are made by tenants' migration 0040 and publishing's 0040.
"""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest

from controlplane.publishing.models import StaleDocument
from tenants.models import Domain, Membership, Tenant

MOST_FOUND = 200
"""Shops that each of the ways finds; who sees as many types one more letter."""


def shops_found(term: str) -> set[uuid.UUID]:
    """Shops whose slug, host or name begins with the term, or an owner's e-mail address does."""
    term = term.strip().lower()[:254]
    if not term:
        return set()
    host, name = _host(term), Tenant.objects.alias(lower_name=Lower("name"))
    domains = Domain.objects.order_by()
    ways = (
        Tenant.objects.filter(slug=term).values_list("pk", flat=True),  # itself, however many begin like it
        domains.filter(host=host).values_list("tenant", flat=True),
        Tenant.objects.filter(slug__startswith=term).values_list("pk", flat=True),
        domains.filter(host__startswith=host).values_list("tenant", flat=True),
        name.filter(lower_name__startswith=term).values_list("pk", flat=True),
        _shops_of_owners(term),
    )
    return {found for way in ways for found in way[:MOST_FOUND]}


def _shops_of_owners(term: str) -> QuerySet[Any]:
    users = User.objects.alias(lower_email=Lower("email")).filter(lower_email__startswith=term)
    found = list(users.values_list("pk", flat=True)[:MOST_FOUND])
    return Membership.objects.filter(user__in=found, role=Membership.Role.OWNER).values_list("tenant", flat=True)


def _host(term: str) -> str:
    """As hosts are stored: what was copied from a browser's address bar, and names in their own script."""
    host = term.partition("://")[2] or term
    host = host.partition("/")[0].partition(":")[0]
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


class FailuresFilter(admin.SimpleListFilter):
    title = "publishing"
    parameter_name = "publishing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "failed":
            return queryset
        return queryset.filter(pk__in=StaleDocument.objects.parked().values("tenant"))


class FlaggedFilter(admin.SimpleListFilter):
    title = "flags"
    parameter_name = "flagged"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Flagged")]

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet[Any]:
        flagged: QuerySet[Any] = queryset.flagged() if self.value() == "yes" else queryset
        return flagged


def mark_publishing(shops: Sequence[Any]) -> None:
    """Sets `publishing_state` on each shop, for all of its documents, however many there are: two looks into an index
    a shop."""
    stale = StaleDocument.objects.filter(tenant=OuterRef("pk"))
    marks = Tenant.objects.filter(pk__in=[shop.pk for shop in shops]).order_by().annotate(
        failed=Exists(stale.exclude(parked_at=None)), waiting=Exists(stale)
    )  # fmt: skip
    states = {pk: "failed" if failed else "publishing" if waiting else "published"
              for pk, failed, waiting in marks.values_list("pk", "failed", "waiting")}  # fmt: skip
    for shop in shops:
        shop.publishing_state = states.get(shop.pk, "published")
