"""Plans as data of the platform's administrators."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from controlplane.publishing.keyset import counted
from controlplane.publishing.unfold import ModelAdmin, display
from tenants.models import Plan
from tenants.plans import Use, uses_of


@admin.register(Plan)
class PlanAdmin(ModelAdmin):
    """Open to whom Django's own permissions on plans are given; merchants see their shop's use on its page."""

    list_display = ("name", "domains", "products", "knowledge", "daily_messages", "daily_tokens", "shops", "standard")
    search_fields = ("name",)
    fieldsets = (
        (None, {"fields": ("name", "is_default")}),
        ("What a shop may hold", {"fields": (("domains", "products", "knowledge"),)}),
        ("What its chat may cost", {"fields": (("daily_messages", "daily_tokens"),)}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        # The mark is moved by giving it to another plan: there is always one for new shops.
        return ("is_default",) if obj is not None and obj.is_default else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.is_default)

    @display(description="Shops")
    def shops(self, obj: Any) -> str:
        """Not counted to the end: a plan may have a million."""
        count, more = counted(obj.tenants)
        return f"more than {count:,}" if more else f"{count:,}"

    @display(description="For new shops", ordering="is_default", boolean=True)
    def standard(self, obj: Plan) -> bool:
        return obj.is_default


def bars_of(tenant: Any) -> list[dict[str, Any]]:
    """What the shop's page shows of its plan, a bar for each thing that is counted."""
    return [bar_of(use) for use in uses_of(tenant)]


def bar_of(use: Use) -> dict[str, Any]:
    most = f"of {use.limit:,}" if use.limit is not None else "no limit"
    return {
        "title": use.label[0].upper() + use.label[1:],
        "text": f"{use.used:,} {most}" if use.limit is not None else f"{use.used:,}, {most}",
        "percent": use.percent,
        "class": {"full": "progress-over", "near": "progress-near"}.get(use.state, ""),
        "warning": use.warning,
    }
