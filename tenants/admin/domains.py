"""Hosts of a shop: what to set at the registrar, how far a domain is, which one is primary."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldBooleanSwitchWidget

from controlplane.adapters.custom_hostnames import Quota
from controlplane.adapters.errors import AdapterError
from controlplane.publishing import cells
from controlplane.publishing.keyset import KeysetAdmin
from controlplane.publishing.unfold import display
from tenants.domains import names
from tenants.domains.records import DnsRecord, letter, records_for
from tenants.domains.states import OVER, State
from tenants.models import Domain, ReleasedHost, Tenant, keep_a_primary
from tenants.plans import PlanLimitError
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import Role, ShopForm, TenantFilter, is_platform_staff, only_shop, warn_of_limit

COLOURS = {"works": "success", "soon": "info", "you": "warning"}
QUOTA_FRESH = 60
"""Seconds that a quota is shown before Cloudflare is asked again."""


class NewDomainForm(ShopForm):
    """A claim to a host, and to its twin with or without www if that is wanted."""

    with_twin = forms.BooleanField(
        label="Also connect the name with www (or without)",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Visitors of the one are sent on to the other. Ignored for names such as shop.example.com.",
    )

    class Meta:
        model = Domain
        fields = ("tenant", "host", "primary_when_live")
        help_texts = {"host": "As in shop.example.com, or example.com itself. You need to be able to change its DNS."}

    def clean_host(self) -> str:
        return names.parse(self.cleaned_data["host"]).host

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        tenant: Tenant | None = cleaned.get("tenant") or self.shop
        host = cleaned.get("host")
        if host and tenant and Domain.objects.filter(tenant=tenant, host=host).exists():
            raise ValidationError({"host": "Your shop has this domain already: you find it in the list."})
        if host and tenant and ReleasedHost.blocks(host, tenant.pk, timezone.now()):
            raise ValidationError(
                {"host": "Another shop gave this name up a short time ago. Please try again in two days."}
            )
        return cleaned

    def _get_validation_exclusions(self) -> set[str]:
        return super()._get_validation_exclusions() | {"tenant"}


class DomainForm(ShopForm):
    def clean_is_primary(self) -> bool:
        wanted: bool = self.cleaned_data["is_primary"]
        if wanted and not self.instance.is_served:
            raise ValidationError("A domain can become the primary one as soon as it works.")
        return wanted

    def _get_validation_exclusions(self) -> set[str]:
        # Only one host is primary: `save_model` takes the mark from the other one.
        return super()._get_validation_exclusions() | {"tenant", "is_primary"}


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(State.CHOICES)

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset.filter(state=self.value()) if self.value() else queryset


@admin.register(Domain)
class DomainAdmin(KeysetAdmin, PublishingLineAdmin):
    form = DomainForm
    changed_by = Role.OWNER
    list_display = ("name", "tenant", "condition", "primary", "kind", "publishing")
    list_filter = (TenantFilter, StateFilter)
    list_select_related = ("tenant",)
    search_fields = ("host", "tenant__slug", "tenant__name")
    ordering = ("tenant__slug", "-is_platform", "host")
    actions = ("check_now", "disconnect")
    list_before_template = "tenants/admin/domain_quota.html"
    change_form_outer_before_template = "tenants/admin/domain.html"

    class Media:
        js = [Script("tenants/domain.js", type="module")]
        css = {"all": ["tenants/domain.css"]}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["tenant", "host", "with_twin", "primary_when_live"]
        if obj is not None:
            fields = ["tenant", "is_primary" if obj.is_served else "primary_when_live", "redirects"]
        no_choice = only_shop(request, self.changed_by if obj is None else Role.VIEWER) is not None
        return [(None, {"fields": fields[1:] if no_choice else fields})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewDomainForm
        return super().get_form(request, obj, change=change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and not (obj is not None and not obj.is_own)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and not obj.is_own)

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Domain, form: Any, change: bool) -> None:
        if obj.is_primary:
            others = Domain.objects.filter(tenant=obj.tenant_id, is_primary=True).exclude(pk=obj.pk)
            others.update(is_primary=False)
        super().save_model(request, obj, form, change)
        if not change and form.cleaned_data.get("with_twin") and (twin := names.parse(obj.host).twin):
            self.add_twin(request, obj, twin)
        keep_a_primary([obj.tenant_id])

    def add_twin(self, request: HttpRequest, obj: Domain, host: str) -> None:
        taken = Domain.objects.filter(tenant=obj.tenant_id, host=host).exists()
        if taken or ReleasedHost.blocks(host, obj.tenant_id, timezone.now()):
            return
        try:
            twin = Domain.objects.create(tenant=obj.tenant, host=host, primary_when_live=False)
        except PlanLimitError as error:
            self.message_user(request, f"{host} was not added: {error.messages[0]}", messages.WARNING)
        else:
            warn_of_limit(request, twin)

    def response_add(self, request: HttpRequest, obj: Domain, post_url_continue: str | None = None) -> HttpResponse:
        """To the records that are to be set, whatever button was pressed."""
        self.message_user(request, f"{obj} is added. Now set its DNS records.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:tenants_domain_change", args=[obj.pk]))

    def delete_model(self, request: HttpRequest, obj: Domain) -> None:
        obj.remove()

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for domain in self.changeable(request, queryset).filter(is_platform=False, retires_at=None):
            domain.remove()

    # The panel above the form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None and obj.is_own:
            context["domain_panel"] = self.panel(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def panel(self, request: HttpRequest, obj: Domain) -> str:
        context = {
            "domain": obj,
            "words": obj.words,
            "records": [with_playground(record) for record in records_for(obj)],
            "show_records": obj.state not in OVER | {State.REMOVING},
            "over": obj.state in OVER,
            "looked_just_now": obj.checked_at and timezone.now() - obj.checked_at < timedelta(minutes=1),
            "letter": letter(obj),
            "name": names.unicode_of(obj.host),
            "may_change": self.has_change_permission(request, obj),
            "staff": is_platform_staff(request),
        }
        return render_to_string("tenants/admin/domain_panel.html", context, request)

    def get_urls(self) -> list[Any]:
        def view(name: str, handler: Any) -> Any:
            return path(f"<path:object_id>/{name}/", self.admin_site.admin_view(handler), name=f"tenants_domain_{name}")

        return [
            view("panel", self.panel_view),
            view("check", require_POST(self.check_view)),
            view("restart", require_POST(self.restart_view)),
            *super().get_urls(),
        ]

    def panel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The panel alone, for its script."""
        obj = self.get_object(request, object_id)
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return HttpResponse("" if not obj.is_own else self.panel(request, obj))

    def check_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.changeable_object(request, object_id)
        Domain.objects.filter(pk=obj.pk).check_now()
        self.message_user(request, f"We are looking at {obj} now.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:tenants_domain_change", args=[obj.pk]))

    def restart_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.changeable_object(request, object_id)
        if obj.state in OVER:
            obj.start_again()
            self.message_user(request, f"{obj} starts again. It has a new TXT record.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:tenants_domain_change", args=[obj.pk]))

    def changeable_object(self, request: HttpRequest, object_id: str) -> Domain:
        obj: Domain = self.get_object(request, object_id)
        if not self.has_change_permission(request, obj):
            raise PermissionDenied
        return obj

    # The list

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        extra = {**(extra_context or {}), "quota": quota() if is_platform_staff(request) else None}
        return super().changelist_view(request, {**extra, "show_quota": is_platform_staff(request)})

    @admin.action(description="Check now", permissions=["change"])
    def check_now(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        count = Domain.objects.filter(
            pk__in=self.changeable(request, queryset), is_platform=False, retires_at=None
        ).check_now()
        self.message_user(request, f"{count} {'domain is' if count == 1 else 'domains are'} next in line.")

    @admin.action(description="Disconnect from the shop", permissions=["change"])
    def disconnect(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        domains = list(self.changeable(request, queryset).filter(is_platform=False, retires_at=None))
        for domain in domains:
            domain.remove()
        self.message_user(request, f"{len(domains)} to disconnect.", messages.SUCCESS)

    @display(description="Domain", ordering="host")
    def name(self, obj: Domain) -> str:
        return names.unicode_of(obj.host)

    @display(description="Status", ordering="state", label=COLOURS)
    def condition(self, obj: Domain) -> tuple[str, str]:
        return obj.words.kind, obj.words.title

    @display(description="Primary", ordering="is_primary", boolean=True)
    def primary(self, obj: Domain) -> bool:
        return obj.is_primary

    @display(description="Kind", label={"platform": "info", "own": "primary"})
    def kind(self, obj: Domain) -> tuple[str, str]:
        return ("own", "Own domain") if obj.is_own else ("platform", "Platform address")


def with_playground(record: DnsRecord) -> dict[str, Any]:
    """The record, and on a developer's machine the address that sets it in the local DNS."""
    query = urlencode({"name": record.name, "type": record.kind, "value": record.value})
    return {"record": record, "playground": f"{settings.DNS_PAGE_URL}?{query}" if settings.DNS_PAGE_URL else ""}


def quota() -> Quota | None:
    """The zone's quota, at most QUOTA_FRESH old; None if Cloudflare can't be asked."""
    known: Quota | None = cache.get("hostname-quota")
    if known is None:
        try:
            known = cells.hostnames().quota()
        except AdapterError:
            return None
        cache.set("hostname-quota", known, QUOTA_FRESH)
    return known
