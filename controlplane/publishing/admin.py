"""The outbox for platform staff: to look at and to retry, never to edit."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone

from controlplane.publishing.keyset import KeysetAdmin
from controlplane.publishing.models import StaleDocument, StaleDocumentQuerySet
from controlplane.publishing.unfold import ModelAdmin, display


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("retrying", "Trying again"), ("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "failed":
            return queryset.exclude(parked_at=None)
        if self.value() == "retrying":
            return queryset.filter(parked_at=None).exclude(error="")
        return queryset.filter(parked_at=None) if self.value() == "waiting" else queryset


@admin.register(StaleDocument)
class StaleDocumentAdmin(KeysetAdmin, ModelAdmin):
    list_display = ("key", "destination", "shop", "state", "attempts", "reason", "due_at")
    list_filter = (StateFilter, "destination")
    search_fields = ("key", "error")
    ordering = ("due_at",)
    list_select_related = ("tenant",)
    fields = ("key", "destination", "shop", "state_in_words", "attempts", "error", "created_at", "due_at", "parked_at")
    sortable_by = ("due_at",)
    actions = ("retry_now",)
    empty_words = ("Nothing waits", "Everything that was published is delivered.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return super().has_change_permission(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("tenant")

    @display(description="Shop")
    def shop(self, obj: StaleDocument) -> str:
        return str(obj.tenant) if obj.tenant else "deleted shop" if obj.tenant_id else "–"

    @display(description="State", label={"waiting": "info", "retrying": "warning", "failed": "danger"})
    def state(self, obj: StaleDocument) -> tuple[str, str]:
        if obj.parked_at:
            return "failed", "Failed"
        if obj.error:
            return "retrying", "Trying again"
        return "waiting", "Due" if obj.due_at <= timezone.now() else "Waiting"

    @display(description="State")
    def state_in_words(self, obj: StaleDocument) -> str:
        return self.state(obj)[1]

    @display(description="Error")
    def reason(self, obj: StaleDocument) -> str:
        return obj.error if len(obj.error) <= 120 else f"{obj.error[:119]}…"

    @admin.action(description="Retry now", permissions=["retry"])
    def retry_now(self, request: HttpRequest, queryset: StaleDocumentQuerySet) -> None:
        chosen = list(queryset.order_by().values_list("pk", flat=True))
        count = StaleDocument.objects.filter(pk__in=chosen).retry()
        documents = "document is" if count == 1 else "documents are"
        self.message_user(request, f"{count} {documents} due now.", messages.SUCCESS)
