"""Published, publishing or failed: the line on every form of a merchant and the badge in their lists."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse

from controlplane.publishing.models import StaleDocument
from controlplane.publishing.status import PublishingStatus, status_of
from controlplane.publishing.unfold import display
from tenants.models import Tenant
from tenants.scoping import TenantScopedAdmin

COLOURS = {"published": "success", "publishing": "info", "failed": "danger"}
WORDS = {"published": "Published", "publishing": "Publishing…", "failed": "Failed"}


def address_of(tenant: Tenant) -> str:
    """Where shoppers reach the shop on the platform's domain, with a slash at the end."""
    port = f":{settings.STOREFRONT_PORT}" if settings.STOREFRONT_PORT else ""
    return f"{settings.STOREFRONT_SCHEME}://{tenant.slug}.{settings.PLATFORM_DOMAIN}{port}/"


class PublishingLineAdmin(TenantScopedAdmin):
    """An admin of something that is published, with its state on the form (kept fresh) and in the list."""

    change_form_before_template = "tenants/admin/publishing_line.html"

    class Media:
        js = [Script("tenants/publishing-line.js", type="module")]

    def tenant_of(self, obj: Any) -> Tenant:
        tenant: Tenant = obj.tenant
        return tenant

    def status(self, obj: Any) -> PublishingStatus:
        keys = {document.key for _, document in type(obj).documents_of([obj], None)}
        return status_of(self.tenant_id_of(obj), *sorted(keys))

    def publishing_context(self, obj: Any) -> dict[str, Any]:
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_publishing", args=[quote(obj.pk)])
        return {"status": self.status(obj), "url": url, "shop_url": address_of(self.tenant_of(obj))}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context["publishing"] = self.publishing_context(obj)
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)  # type: ignore[misc]
        return response

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_publishing"
        view = self.admin_site.admin_view(self.publishing_view)
        return [path("<path:object_id>/publishing/", view, name=name), *super().get_urls()]

    def publishing_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """`{"state": …, "label": …}` of one object, for the line's script."""
        obj = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        status = self.status(obj)
        return JsonResponse({"state": status.state, "label": status.label})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        self.mark_states(changelist.result_list)
        return changelist

    def mark_states(self, rows: Sequence[Any]) -> None:
        attach_states(self.model, rows)

    @display(description="Publishing", label=COLOURS)
    def publishing(self, obj: Any) -> tuple[str, str]:
        state = getattr(obj, "publishing_state", "published")
        return state, WORDS[state]


def attach_states(model: Any, rows: Sequence[Any]) -> None:
    """Sets `publishing_state` on each row from the row's own documents (not the pages it shows on): two queries."""
    documents = list(model.documents_of(list(rows), None))
    stale = StaleDocument.objects.filter(key__in={document.key for _, document in documents})
    states: dict[str, str] = {}
    for key, parked_at in stale.values_list("key", "parked_at"):
        owner = key.partition(":")[2]
        states[owner] = "failed" if parked_at or states.get(owner) == "failed" else "publishing"
    for row in rows:
        row.publishing_state = states.get(str(row.pk), "published")
