"""The audit log in the admin: platform staff read all of it, owners what happened in their shops. Nobody writes it."""

import uuid
from typing import Any

from auditlog import get_logentry_model
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, QuerySet, When
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import is_aware, make_aware
from unfold.contrib.filters.admin import RangeDateTimeFilter, TextFilter

from controlplane.publishing.keyset import KeysetAdmin
from controlplane.publishing.unfold import LookOnly, ModelAdmin, OrNotFound, display
from tenants.audit import export, recording
from tenants.models import AuditEntry, Tenant
from tenants.scoping import Role, TenantFilter, is_platform_staff, may, shops

admin.site.unregister(get_logentry_model())  # django-auditlog's own page of it

FOR_OWNERS = (
    "tenants.Tenant", "tenants.Membership", "tenants.Domain", "tenants.Landing", "tenants.Picture", "tenants.Section",
    "tenants.ShareLink", "catalog.Product", "chat.KnowledgeSource", "chat.ChatProfile", "chat.QuestionGroup",
)  # fmt: skip
"""What owners read of; the platform's own notes about a shop are not among them."""


def entries_for(request: HttpRequest) -> QuerySet[Any]:
    """The entries that the user may read, each with `shown_addr`: owners don't learn where platform staff sit."""
    entries: Any = AuditEntry.objects.select_related("content_type")
    if is_platform_staff(request):
        everything: QuerySet[Any] = entries.annotate(shown_addr=F("remote_addr"))
        return everything
    mine = list(shops(request, Role.OWNER).values_list("pk", flat=True)) if may(request, Role.OWNER) else []
    kinds = ContentType.objects.get_for_models(*(apps.get_model(label) for label in FOR_OWNERS)).values()
    own = entries.filter(tenant__in=mine, content_type__in=[kind.pk for kind in kinds])
    shown: QuerySet[Any] = own.annotate(shown_addr=Case(When(by_staff=False, then="remote_addr")))
    return shown


class ShopFilter(TextFilter):  # type: ignore[misc]
    """By slug; a shop that is gone by the id that stands in the log."""

    title = "shop"
    parameter_name = "shop"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip().lower()
        return queryset.filter(tenant=_shop_id(value)) if value else queryset


def _shop_id(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        found: uuid.UUID | None = Tenant.objects.filter(slug=value).values_list("pk", flat=True).first()
        return found or uuid.UUID(int=0)


class PersonFilter(TextFilter):  # type: ignore[misc]
    title = "person (e-mail or user name)"
    parameter_name = "person"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        if not value:
            return queryset
        if not is_platform_staff(request):
            return queryset.filter(actor_name__icontains=value)
        user = User.objects.filter(username=value).first()
        return queryset.filter(actor=user.pk) if user else queryset.filter(actor_email=value)


class RequestFilter(TextFilter):  # type: ignore[misc]
    title = "request id"
    parameter_name = "request"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = (self.value() or "").strip()
        return queryset.filter(cid=value) if value else queryset


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        everything = is_platform_staff(request)
        models = [model for model in recording.covered() if everything or model._meta.label in FOR_OWNERS]
        return sorted(
            ((model._meta.label_lower, str(model._meta.verbose_name)) for model in models), key=lambda m: m[1]
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in dict(self.lookup_choices):
            return queryset
        return queryset.filter(content_type=ContentType.objects.get_for_model(apps.get_model(str(self.value()))))


class ActionFilter(admin.SimpleListFilter):
    title = "action"
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("0", "Added"), ("1", "Changed"), ("2", "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(action=self.value()) if self.value() in ("0", "1", "2") else queryset


class WhenFilter(RangeDateTimeFilter):  # type: ignore[misc]
    """Unfold's, with times that know their zone; a half that is no time does not count."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for side, lookup, clock in (("from", "gte", "00:00"), ("to", "lte", "23:59:59")):
            day, hour = (self.used_parameters.get(f"timestamp_{side}_{part}") or "" for part in (0, 1))
            try:
                moment = parse_datetime(f"{day}T{hour or clock}")
            except ValueError:  # such as 30 February
                moment = None
            if moment is not None and not is_aware(moment):
                queryset = queryset.filter(**{f"timestamp__{lookup}": make_aware(moment)})
        return queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(LookOnly, OrNotFound, KeysetAdmin, ModelAdmin):
    list_display = ("when", "who", "did", "what", "shop", "fields_changed", "address")
    list_display_links = ("when",)
    list_filter_submit = True
    list_before_template = "tenants/admin/audit_before.html"
    list_per_page = 50
    sortable_by = ()
    ordering = ("-timestamp", "-id")
    actions = None
    fields = ("moment", "who", "action_in_words", "what", "object_pk", "shop", "table", "address", "cid")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_platform_staff(request) or may(request, Role.OWNER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)  # which entries: the queryset

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return entries_for(request)

    def get_list_filter(self, request: HttpRequest) -> Any:
        shop = ShopFilter if is_platform_staff(request) else TenantFilter
        return (shop, PersonFilter, KindFilter, ActionFilter, ("timestamp", WhenFilter), RequestFilter)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="tenants_auditentry_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """The filtered list as CSV, whatever its length."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            changelist = self.get_changelist_instance(request)
        except IncorrectLookupParameters:  # a filter that there is not: as the list answers it
            return HttpResponseRedirect(reverse("admin:tenants_auditentry_changelist") + "?e=1")
        return export.response(request, changelist.queryset)

    @display(description="When")
    def when(self, obj: AuditEntry) -> Any:
        return obj.timestamp

    @display(description="When")
    def moment(self, obj: AuditEntry) -> str:
        return f"{obj.timestamp:%d %B %Y, %H:%M:%S} UTC"

    @display(description="Action")
    def action_in_words(self, obj: AuditEntry) -> str:
        return obj.verb.capitalize()

    @display(description="Who")
    def who(self, obj: AuditEntry) -> str:
        return obj.person

    @display(description="Action", label={0: "success", 1: "info", 2: "danger"})
    def did(self, obj: AuditEntry) -> tuple[int, str]:
        return obj.action, obj.verb.capitalize()

    @display(description="What")
    def what(self, obj: AuditEntry) -> str:
        return f"{obj.kind.capitalize()} “{obj.object_repr[:80]}”"

    @display(description="Shop")
    def shop(self, obj: AuditEntry) -> str:
        return obj.tenant_name or "–"

    @display(description="Fields")
    def fields_changed(self, obj: AuditEntry) -> str:
        return obj.summary or "–"

    @display(description="From address")
    def address(self, obj: Any) -> str:
        return obj.shown_addr or "–"

    @display(description="Before and after")
    def table(self, obj: AuditEntry) -> SafeString:
        return mark_safe(render_to_string("tenants/admin/audit_changes.html", {"rows": obj.rows}))  # noqa: S308
