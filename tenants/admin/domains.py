"""Hosts of a shop. Proof of ownership and certificates come with domain onboarding."""

import ipaddress
import uuid
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest

from controlplane.publishing.unfold import display
from storefront.documents import normalise_host
from tenants.models import Domain
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import Role, ShopForm, TenantFilter


class DomainForm(ShopForm):
    def clean_host(self) -> str:
        try:
            host = normalise_host(self.cleaned_data["host"])
        except ValueError as error:
            raise ValidationError(str(error)) from None
        if "." not in host or _is_address(host):
            raise ValidationError("Type a whole host name such as shop.example.com.")
        if host == settings.PLATFORM_DOMAIN or host.endswith(f".{settings.PLATFORM_DOMAIN}"):
            raise ValidationError(f"Hosts on {settings.PLATFORM_DOMAIN} belong to the platform.")
        return host

    def _get_validation_exclusions(self) -> set[str]:
        # Only one host is primary: `save_model` takes the mark from the other one.
        return super()._get_validation_exclusions() | {"tenant", "is_primary"}


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@admin.register(Domain)
class DomainAdmin(PublishingLineAdmin):
    form = DomainForm
    changed_by = Role.OWNER
    list_display = ("host", "tenant", "primary", "kind", "publishing")
    list_filter = (TenantFilter,)
    list_select_related = ("tenant",)
    search_fields = ("host", "tenant__slug")
    ordering = ("tenant__slug", "-is_platform", "host")
    fieldsets = ((None, {"fields": ("tenant", "host", "is_primary")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "host")  # another host is another document: add it, remove this one

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and obj.is_platform)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.is_platform)

    def save_model(self, request: HttpRequest, obj: Domain, form: Any, change: bool) -> None:
        if obj.is_primary:
            others = Domain.objects.filter(tenant=obj.tenant_id, is_primary=True).exclude(pk=obj.pk)
            others.update(is_primary=False)
        super().save_model(request, obj, form, change)
        keep_a_primary([obj.tenant_id])

    def delete_model(self, request: HttpRequest, obj: Domain) -> None:
        super().delete_model(request, obj)
        keep_a_primary([obj.tenant_id])

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        tenants = list(queryset.order_by().values_list("tenant_id", flat=True))
        super().delete_queryset(request, queryset)
        keep_a_primary(tenants)

    @display(description="Primary", ordering="is_primary", boolean=True)
    def primary(self, obj: Domain) -> bool:
        return obj.is_primary

    @display(description="Kind", label={"platform": "info", "own": "primary"})
    def kind(self, obj: Domain) -> tuple[str, str]:
        return ("platform", "Platform address") if obj.is_platform else ("own", "Own domain")


def keep_a_primary(tenant_ids: list[uuid.UUID]) -> None:
    """Makes the platform's host primary again in shops that have no primary host."""
    with_primary = Domain.objects.filter(is_primary=True, tenant__in=tenant_ids).values("tenant")
    Domain.objects.filter(is_platform=True, tenant__in=tenant_ids).exclude(tenant__in=with_primary).update(
        is_primary=True
    )
