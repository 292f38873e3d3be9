"""What moderation did, as lists for colleagues: to look at only, for what is done is done on the shop's own page."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from controlplane.publishing.unfold import LookOnly, ModelAdmin, display
from tenants.models import ActingSession, Appeal, ClosingRequest
from tenants.scoping import is_platform_staff


class LookOnlyAdmin(LookOnly, ModelAdmin):
    """Nobody adds, changes or deletes here, whatever permissions they hold."""

    show_full_result_count = False
    list_per_page = 50

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_platform_staff(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_platform_staff(request)


def link_to(pk: object, name: str) -> SafeString | str:
    return format_html('<a href="{}">{}</a>', reverse("admin:tenants_tenant_change", args=[pk]), name) if pk else name


class WaitingFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"
    waiting: Any = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "waiting":
            return queryset.filter(**self.waiting)
        return queryset.exclude(**self.waiting) if self.value() == "done" else queryset


class UnansweredFilter(WaitingFilter):
    waiting = {"answered_at": None}


class UndecidedFilter(WaitingFilter):
    waiting = {"decision": ""}


class RunningFilter(WaitingFilter):
    waiting = {"ended_at": None}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Running"), ("done", "Ended")]


@admin.register(Appeal)
class AppealAdmin(LookOnlyAdmin):
    list_display = ("shop", "message", "by", "at", "state")
    list_display_links = None
    list_filter = (UnansweredFilter,)
    list_select_related = ("suspension__tenant", "by")
    search_fields = ("suspension__tenant__slug", "suspension__tenant__name")
    ordering = ("-at",)
    fields = ("text", "by", "at", "answer", "answered_by", "answered_at")

    @display(description="Shop")
    def shop(self, obj: Appeal) -> str:
        return link_to(obj.suspension.tenant_id, obj.suspension.tenant.name)

    @display(description="Message")
    def message(self, obj: Appeal) -> str:
        return obj.text if len(obj.text) < 120 else f"{obj.text[:120]}…"

    @display(description="State", label={"waiting": "warning", "done": "success"})
    def state(self, obj: Appeal) -> tuple[str, str]:
        return ("done", "Answered") if obj.answered_at else ("waiting", "Waiting")


@admin.register(ClosingRequest)
class ClosingRequestAdmin(LookOnlyAdmin):
    list_display = ("name", "reason", "asked_by", "asked_at", "state", "decided_by", "decided_at")
    list_display_links = None
    list_filter = (UndecidedFilter,)
    list_select_related = ("asked_by", "decided_by")
    search_fields = ("shop",)
    ordering = ("-asked_at",)
    fields = ("shop", "reason", "asked_by", "asked_at", "decision", "decided_by", "decided_at")

    @display(description="Shop")
    def name(self, obj: ClosingRequest) -> str:
        return link_to(obj.tenant_id, obj.shop)

    @display(description="State", label={"": "warning", "agreed": "danger"})
    def state(self, obj: ClosingRequest) -> tuple[str, str]:
        return obj.decision, obj.get_decision_display()


@admin.register(ActingSession)
class ActingSessionAdmin(LookOnlyAdmin):
    list_display = ("staff_name", "name", "how", "reason", "started_at", "ended_at", "ended")
    list_display_links = None
    list_filter = (RunningFilter, "mode")
    search_fields = ("shop", "staff_name")
    ordering = ("-started_at",)
    fields = ("staff_name", "shop", "mode", "reason", "started_at", "ends_at", "ended_at", "ended_how")

    @display(description="Shop")
    def name(self, obj: ActingSession) -> str:
        return link_to(obj.tenant_id, obj.shop)

    @display(description="Mode", label={"read": "info", "write": "warning"})
    def how(self, obj: ActingSession) -> tuple[str, str]:
        return obj.mode, obj.get_mode_display()

    @display(description="How it ended")
    def ended(self, obj: ActingSession) -> str:
        return obj.get_ended_how_display() or f"Until {obj.ends_at:%H:%M} UTC at the latest"
