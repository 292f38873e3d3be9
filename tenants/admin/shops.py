"""Shops: their settings for merchants, moderation for platform staff."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from controlplane.publishing.keyset import KeysetAdmin
from controlplane.publishing.status import PublishingStatus, status_of
from controlplane.publishing.unfold import display
from tenants.admin import shop_list
from tenants.admin.invitations import Invitations
from tenants.admin.lifecycle import LifecycleViews
from tenants.admin.moderation import MOST_AT_ONCE, ModeratedAdmin
from tenants.admin.people import MembershipInline
from tenants.checks import check_size
from tenants.documents import live_page
from tenants.models import ClosingRequest, Membership, Tenant
from tenants.onboarding import open_shop
from tenants.publishing_line import address_of
from tenants.scoping import Role, is_platform_staff, may, may_close, may_moderate, may_open, only_shop

STATUS_COLOURS = {"active": "success", "suspended": "warning", "closed": "danger"}


class TenantForm(forms.ModelForm[Tenant]):
    class Meta:
        model = Tenant
        fields = ("name", "slug", "currency", "locale", "timezone")
        help_texts = {
            "slug": "The shop's address on this platform. After a change the old one leads here for 90 days.",
            "currency": "A three-letter code such as EUR. It can't change once the shop has products.",
            "locale": "The language shoppers read, such as en-GB or de.",
        }

    def clean_currency(self) -> str:
        currency: str = self.cleaned_data["currency"].upper()
        if self.instance._state.adding or currency == self.instance.currency:
            return currency
        if apps.get_model("catalog", "Product")._default_manager.filter(tenant=self.instance).exists():
            raise ValidationError(
                f"The prices of this shop's products are in {self.instance.currency}. "
                "The currency can change only while the shop has no products."
            )
        return currency

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors and hasattr(self.instance, "landing"):
            try:
                check_size(self.instance, live_page(self.instance))
            except ValidationError as error:
                self.add_error(None, error)


class NewShopForm(TenantForm):
    """A shop opens with its owner, its host and a first landing page."""

    owner = forms.ModelChoiceField(User.objects.filter(is_staff=True, is_active=True))


@admin.register(Tenant)
class TenantAdmin(Invitations, KeysetAdmin, LifecycleViews, ModeratedAdmin):
    tenant_path = "pk"
    form = TenantForm
    list_display = ("name", "slug", "state", "address", "currency", "publishing")
    list_filter = ("status", "plan", shop_list.FailuresFilter, shop_list.FlaggedFilter)
    sortable_by = ("slug",)
    search_fields = ("slug", "name")
    search_help_text = "Slug, host, name or owner’s e-mail"
    ordering = ("slug",)
    list_per_page = 50
    actions = ("suspend", "restore")
    inlines = (MembershipInline,)
    change_form_outer_after_template = "tenants/admin/shop_after.html"
    fieldsets = (
        (None, {"fields": ("name", "slug", "condition")}),
        ("Money, language and time", {"fields": (("currency", "locale"), "timezone")}),
    )
    add_fieldsets = ((None, {"fields": ("name", "slug", "owner", ("currency", "locale"))}),)

    class Media:
        css = {"all": ["tenants/lifecycle.css"]}

    def tenant_of(self, obj: Any) -> Tenant:
        tenant: Tenant = obj
        return tenant

    def status(self, obj: Any) -> PublishingStatus:
        return status_of(obj.pk)  # the shop's form speaks for all its documents

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_open(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may close shops deletes those on whose end two people agreed."""
        return may_close(request) and (obj is None or ClosingRequest.agreed(obj.pk))

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        if obj is None or may(request, Role.OWNER, obj.pk):
            return ("condition",)
        return ("condition", "slug")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewShopForm
        form = super().get_form(request, obj, change=change, **kwargs)
        if obj is None:
            owner = Membership._meta.get_field("user")
            form.base_fields["owner"].widget = AutocompleteSelect(owner, self.admin_site)
        return form

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None else super().get_inlines(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        names = ("slug", "name", "owner", "currency", "locale")
        opened = open_shop(**{name: form.cleaned_data[name] for name in names})
        obj.pk = opened.pk
        obj._state.adding = False
        obj.refresh_from_db()

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        if not search_term.strip() or not is_platform_staff(request):
            return super().get_search_results(request, queryset, search_term)  # a merchant's few shops
        return queryset.filter(pk__in=shop_list.shops_found(search_term)), False

    def mark_states(self, rows: Any) -> None:
        shop_list.mark_publishing(rows)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shop = only_shop(request)
        if shop is not None and request.method == "GET":
            return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[shop.pk]))
        return super().changelist_view(request, extra_context)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Counts instead of Django's tree of every product: a shop may have thousands."""
        ids = [tenant.pk for tenant in objs]
        counts = {str(Tenant._meta.verbose_name_plural): len(ids)}
        for relation in Tenant._meta.related_objects:
            if relation.on_delete is models.CASCADE:
                owned = relation.related_model._default_manager.filter(**{f"{relation.field.name}__in": ids})
                counts[str(relation.related_model._meta.verbose_name_plural)] = owned.count()
        allowed = all(self.has_delete_permission(request, tenant) for tenant in objs[:MOST_AT_ONCE])
        denied = set() if allowed and len(objs) <= MOST_AT_ONCE else {str(Tenant._meta.verbose_name)}
        return [str(tenant) for tenant in objs], counts, denied, []

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def state(self, obj: Tenant) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    @display(description="Status")
    def condition(self, obj: Tenant) -> str:
        """As the form shows it, where Unfold would not make a badge of `state`."""
        return str(obj.get_status_display())

    @display(description="Address")
    def address(self, obj: Tenant) -> str:
        return address_of(obj).removesuffix("/")

    @admin.action(description="Suspend: take off the web", permissions=["moderate"])
    def suspend(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse:
        return self.go_to("suspend", queryset)

    @admin.action(description="Restore: put back on the web", permissions=["moderate"])
    def restore(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse:
        return self.go_to("unsuspend", queryset)
