"""Sections of landing pages: a picker of kinds, then each kind's own form."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from controlplane.publishing.unfold import display
from storefront.documents import SECTIONS
from tenants.models import Landing, Section, Tenant
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import TenantFilter, shops
from tenants.section_forms import fieldsets_for, form_for, readable, slots_of


class SectionTenantFilter(TenantFilter):
    path = "landing__tenant"


@admin.register(Section)
class SectionAdmin(PublishingLineAdmin):
    tenant_path = "landing__tenant"
    list_display = ("words", "kind_label", "shop", "position", "publishing")
    list_display_links = ("words",)
    list_filter = (SectionTenantFilter, "kind")
    list_select_related = ("landing__tenant",)
    ordering = ("landing", "position", "id")

    def tenant_of(self, obj: Any) -> Tenant:
        tenant: Tenant = obj.landing.tenant
        return tenant

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return ("content_view",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["content_view"]})]
        kind = obj.kind if obj is not None else request.GET.get("kind", "")
        if kind not in SECTIONS:
            raise Http404
        return fieldsets_for(kind, list(slots_of(SECTIONS[kind], obj.content if obj is not None else {})))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        landing = obj.landing if obj is not None else self.chosen_landing(request)
        kind = obj.kind if obj is not None else request.GET.get("kind", "")
        if landing is None or kind not in SECTIONS:
            raise Http404
        kwargs["form"] = form_for(kind, landing, obj)
        return super().get_form(request, obj, change=change, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {}  # the query names the kind and the page, not values of fields

    def landings(self, request: HttpRequest) -> Any:
        """The pages to which the user may add sections."""
        changeable = shops(request, self.changed_by)
        return Landing.objects.filter(tenant__in=changeable).select_related("tenant").order_by("tenant__name")

    def chosen_landing(self, request: HttpRequest) -> Landing | None:
        """The page that the query names, or the only one there is. Raises Http404 for another shop's page."""
        if wanted := request.GET.get("landing"):
            try:
                landing: Landing = get_object_or_404(self.landings(request), pk=wanted)
            except (ValueError, ValidationError):
                raise Http404 from None
            return landing
        found = list(self.landings(request)[:2])
        return found[0] if len(found) == 1 else None

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.GET.get("kind") not in SECTIONS or self.chosen_landing(request) is None:
            return self.picker(request)
        return super().add_view(request, form_url, extra_context)

    def picker(self, request: HttpRequest) -> HttpResponse:
        landing = self.chosen_landing(request)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Add a section",
            "landing": landing,
            "landings": [] if landing else self.landings(request)[:50],
            "kinds": SECTIONS.values(),
        }
        return TemplateResponse(request, "tenants/admin/section_picker.html", context)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        section: Section = context["adminform"].form.instance
        kind = SECTIONS[section.kind]
        verb = "Edit" if kwargs.get("obj") is not None else "Add"
        context |= {"title": f"{verb} {kind.label[0].lower()}{kind.label[1:]}", "subtitle": None}
        context["section"] = {"description": kind.description, "landing": section.landing_id}
        return super().render_change_form(request, context, *args, **kwargs)

    change_form_before_template = "tenants/admin/section_before.html"

    def save_model(self, request: HttpRequest, obj: Section, form: Any, change: bool) -> None:
        if not change:
            last = Section.objects.filter(landing=obj.landing_id).aggregate(last=Max("position"))["last"]
            obj.position = 0 if last is None else last + 1
        super().save_model(request, obj, form, change)

    def response_post_save_add(self, request: HttpRequest, obj: Section) -> HttpResponseRedirect:
        return self.response_post_save_change(request, obj)

    def response_post_save_change(self, request: HttpRequest, obj: Section) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse("admin:tenants_landing_change", args=[obj.landing_id]))

    @display(description="Section")
    def words(self, obj: Section) -> str:
        return str(obj)

    @display(description="Kind", ordering="kind")
    def kind_label(self, obj: Section) -> str:
        return SECTIONS[obj.kind].label

    @display(description="Shop")
    def shop(self, obj: Section) -> str:
        return str(obj.landing.tenant)

    @display(description="Content")
    def content_view(self, obj: Section) -> SafeString:
        return format_html_join("", "<p><strong>{}</strong><br>{}</p>", readable(obj))
