"""What the chat knows, in the admin."""

from django.contrib import admin

from chat.models import KnowledgeSource
from controlplane.publishing.unfold import display
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import TenantFilter


@admin.register(KnowledgeSource)
class KnowledgeSourceAdmin(PublishingLineAdmin):
    list_display = ("title", "tenant", "form_of", "state", "updated_at", "publishing")
    list_filter = ("kind", "status", TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("title", "body")
    fieldsets = ((None, {"fields": ("tenant", "kind", "title", "body", "url", "status")}),)

    @display(description="Kind", ordering="kind")
    def form_of(self, obj: KnowledgeSource) -> str:
        return obj.get_kind_display()

    @display(description="Status", ordering="status", label={"active": "success", "draft": "info"})
    def state(self, obj: KnowledgeSource) -> tuple[str, str]:
        return obj.status, obj.get_status_display()
