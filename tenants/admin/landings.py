"""The landing page: what search engines see, its looks, its sections in order."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminTextareaWidget

from controlplane.publishing.unfold import TabularInline, display
from storefront.documents import SECTIONS
from tenants.checks import check_size
from tenants.models import Landing, Section
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import Scoped, ShopForm, TenantFilter, is_platform_staff, only_shop

COLOURS = ("accent", "background", "text", "accent_dark", "background_dark", "text_dark")


class LandingForm(ShopForm):
    class Meta:
        widgets = {
            **{name: UnfoldAdminColorInputWidget() for name in COLOURS},
            "seo_description": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        }

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors or self.instance._state.adding:
            return
        tenant = self.instance.tenant
        tenant.landing = self.instance  # measured as it will be, not as it is stored
        try:
            check_size(tenant, self.instance.page)
        except ValidationError as error:
            self.add_error(None, error)


class SectionRowForm(forms.ModelForm[Section]):
    def _post_clean(self) -> None:
        if not self.instance._state.adding:  # a forged id has no section: the id's own error is enough
            super()._post_clean()  # type: ignore[misc]


class SectionInline(Scoped, TabularInline):
    """The page's sections: dragged into order, opened, removed. Their content has its own form."""

    model = Section
    form: Any = SectionRowForm
    fields = ("section", "position")
    readonly_fields = ("section",)
    ordering_field = "position"
    hide_title = True
    extra = 0
    template_after = "tenants/admin/section_add.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Section")
    def section(self, obj: Section) -> SafeString:
        words = str(obj).partition(": ")[2] or SECTIONS[obj.kind].description
        url = reverse("admin:tenants_section_change", args=[obj.pk])
        return format_html(
            '<a class="section-row" href="{}"><strong>{}</strong><span>{}</span></a>',
            url,
            SECTIONS[obj.kind].label,
            words,
        )


@admin.register(Landing)
class LandingAdmin(PublishingLineAdmin):
    form = LandingForm
    list_display = ("page", "tenant", "updated_at", "publishing")
    list_filter = (TenantFilter,)
    list_select_related = ("tenant",)
    search_fields = ("tenant__slug", "tenant__name", "seo_title")
    ordering = ("tenant__slug",)
    inlines = (SectionInline,)
    fieldsets = (
        ("Search engines and sharing", {"fields": ("tenant", "seo_title", "seo_description", "seo_image_url")}),
        ("Looks", {"fields": (COLOURS[:3], COLOURS[3:], ("font", "radius")), "classes": ("collapse",)}),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_platform_staff(request)  # a shop opens with its page

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it goes with its shop

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return () if obj is None else super().get_inlines(request, obj)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shop = only_shop(request)
        if shop is not None and hasattr(shop, "landing") and request.method == "GET":
            return HttpResponseRedirect(reverse("admin:tenants_landing_change", args=[shop.landing.pk]))
        return super().changelist_view(request, extra_context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None and self.has_change_permission(request, obj):
            context["section_kinds"] = SECTIONS.values()
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="Landing page")
    def page(self, obj: Landing) -> str:
        return obj.seo_title or str(obj.tenant)
