"""The landing page in the admin: one page to edit it, its revisions, and the requests that both make."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from controlplane.publishing.unfold import display
from tenants.admin.landing_requests import LandingRequests, local
from tenants.diffs import changes
from tenants.models import Landing, Revision
from tenants.page import Page
from tenants.pictures.fields import urls
from tenants.publishing_line import PublishingLineAdmin, address_of
from tenants.scoping import TenantFilter, may_change_any_shop, only_shop
from tenants.section_forms import forms, page_fields
from tenants.themes import PRESETS

STATES = {"draft": "Draft", "live": "Live", "changed": "Changed"}
COLOURS = {"draft": "info", "live": "success", "changed": "warning"}
MOST_REVISIONS = 100


@admin.register(Landing)
class LandingAdmin(LandingRequests, PublishingLineAdmin):
    list_display = ("page", "tenant", "state", "edited_at", "publishing")
    list_filter = (TenantFilter,)
    list_select_related = ("tenant", "live")
    search_fields = ("tenant__slug", "tenant__name", "seo_title")
    ordering = ("tenant__slug",)
    fields = ("tenant",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change_any_shop(request)  # a shop opens with its page

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it goes with its shop

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("sections")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        shop = only_shop(request)
        if shop is not None and hasattr(shop, "landing") and request.method == "GET":
            return HttpResponseRedirect(reverse("admin:tenants_landing_change", args=[shop.landing.pk]))
        return super().changelist_view(request, extra_context)

    def get_urls(self) -> list[URLPattern]:
        def url(end: str, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
            return path(f"<path:object_id>/{end}", self.admin_site.admin_view(view), name=f"tenants_landing_{name}")

        return [
            *(url(f"{name}/", name, getattr(self, f"{name}_view")) for name in self.requests),
            url("revisions/<int:number>/page/", "revision_page", self.revision_page_view),
            url("revisions/<int:number>/restore/", "restore", self.restore_view),
            url("revisions/<int:number>/", "revision", self.revision_view),
            url("revisions/", "revisions", self.revisions_view),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The editor. It saves by requests of its own, so that nothing is posted here."""
        landing = self.landing(request, object_id, change=request.method != "GET")
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        may_change = self.has_change_permission(request, landing)
        context = self.page_context(request, landing, f"Landing page of {landing.tenant}") | {
            "forms": forms(),
            "panels": page_fields(),
            "presets": PRESETS,
            "publishing": self.publishing_context(landing),
            "has_change_permission": may_change,
            "editor": self.editor_data(landing, may_change=may_change),
            "is_fullwidth": "1",
        }
        return TemplateResponse(request, "tenants/admin/editor/editor.html", context)

    def page_context(self, request: HttpRequest, landing: Landing, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request), "opts": self.opts, "title": title, "original": landing,
            "landing": landing, "state": landing.state, "state_label": STATES[landing.state],
        }  # fmt: skip

    def editor_data(self, landing: Landing, *, may_change: bool) -> dict[str, Any]:
        """What the editor's script begins with."""
        return {
            "page": landing.page.to_json(),
            "version": landing.draft_version,
            "state": landing.state,
            "mayChange": may_change,
            "schedule": {
                "zone": landing.tenant.timezone,
                "publish": local(landing.publish_at, landing.tenant.timezone),
                "unpublish": local(landing.unpublish_at, landing.tenant.timezone),
            },
            "shop": {
                "id": str(landing.tenant_id),
                "name": landing.tenant.name,
                "origin": address_of(landing.tenant).removesuffix("/"),
            },
            "pictures": urls(),
            "urls": {name: reverse(f"admin:tenants_landing_{name}", args=[landing.pk]) for name in self.requests},
        }

    def revisions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        landing = self.landing(request, object_id)
        context = self.page_context(request, landing, "Revisions") | {
            "revisions": self.revisions(landing).defer("content")[:MOST_REVISIONS],
            "has_change_permission": self.has_change_permission(request, landing),
        }
        return TemplateResponse(request, "tenants/admin/editor/revisions.html", context)

    def revisions(self, landing: Landing) -> Any:
        found = Revision.objects.filter(tenant=landing.tenant_id)
        return found.select_related("author", "unpublished_by").order_by("-number")

    def revision(self, landing: Landing, number: int) -> Revision:
        found: Revision | None = self.revisions(landing).filter(number=number).first()
        if found is None:
            raise Http404
        return found

    def revision_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """One revision beside the one before, or `?against=` another, or the draft (`?against=draft`)."""
        landing = self.landing(request, object_id)
        revision = self.revision(landing, number)
        label, before, after = self.compared(landing, revision, request.GET.get("against", ""))
        context = self.page_context(request, landing, f"Revision {number}") | {
            "revision": revision, "changes": changes(before, after), "compared": label,
            "has_change_permission": self.has_change_permission(request, landing),
            "editor": {
                "origin": address_of(landing.tenant).removesuffix("/"),
                "page": reverse("admin:tenants_landing_revision_page", args=[landing.pk, number]),
            },
        }  # fmt: skip
        return TemplateResponse(request, "tenants/admin/editor/revision.html", context)

    def compared(self, landing: Landing, revision: Revision, against: str) -> tuple[str, Page, Page]:
        """In words what is compared, the older page and the newer."""
        if against == "draft":
            return "What the draft changes", revision.page, landing.page
        if against.isascii() and against.isdigit():
            other = self.revision(landing, int(against[:9]))
        else:
            other = self.revisions(landing).filter(number__lt=revision.number).first()
        if other is None:
            return "What it began with", Page(), revision.page
        return f"What changed since revision {other.number}", other.page, revision.page

    def restore_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        """Brings a revision back: live at once, or into the draft only (`draft` in the form)."""
        landing = self.landing(request, object_id, change=True)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        revision = self.revision(landing, number)
        try:
            restored = landing.restore(revision, request.user, publish="draft" not in request.POST)
        except ValidationError as error:
            messages.error(request, f"Revision {number} can't go live as it is. {' '.join(error.messages)}")
            return HttpResponseRedirect(reverse("admin:tenants_landing_revision", args=[landing.pk, number]))
        done = f"live as revision {restored.number}" if restored else "in the draft; publish it when it is ready"
        messages.success(request, f"Revision {number} is {done}.")
        self.log_change(request, landing, f"Restored revision {number}.")
        return HttpResponseRedirect(reverse("admin:tenants_landing_change", args=[landing.pk]))

    def landing(self, request: HttpRequest, object_id: str, *, change: bool = False) -> Landing:
        """Raises Http404 for what is not the user's, PermissionDenied for what they may only look at."""
        found: Landing = self.get_object(request, object_id)
        allowed = self.has_change_permission if change else self.has_view_permission
        if not allowed(request, found):
            raise PermissionDenied
        return found

    @display(description="Landing page")
    def page(self, obj: Landing) -> str:
        return obj.seo_title or str(obj.tenant)

    @display(description="State", label=COLOURS)
    def state(self, obj: Landing) -> tuple[str, str]:
        return obj.state, STATES[obj.state]

    def revision_page_view(self, request: HttpRequest, object_id: str, number: int) -> JsonResponse:
        landing = self.landing(request, object_id)
        return JsonResponse(self.preview(landing, self.revision(landing, number).page))
