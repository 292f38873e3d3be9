"""The chat's settings, with what it took today."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from chat.forms import ProfileForm
from chat.models import ChatProfile, Usage
from controlplane.publishing.status import PublishingStatus, status_of
from controlplane.publishing.unfold import display
from tenants.models import pages_of_tenants
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import TenantFilter, only_shop, shops


@admin.register(ChatProfile)
class ChatProfileAdmin(PublishingLineAdmin):
    form = ProfileForm
    list_display = ("tenant_name", "on", "tone", "messages_today")
    list_filter = ("enabled", TenantFilter)
    list_select_related = ("tenant__plan",)
    search_fields = ("tenant__name", "tenant__slug")
    ordering = ("tenant__name",)
    change_form_before_template = "chat/admin/profile_before.html"
    fieldsets = (
        (None, {"fields": ("enabled", "greeting", "tone", "suggested_questions", "refused_topics")}),
        ("Contact, where the chat can't help", {"fields": (("contact_email", "contact_phone"), "contact_url")}),
        ("Cost and memory", {"fields": (("daily_messages", "daily_tokens"), "model", "retention_days")}),
    )

    class Media:
        css = {"all": ("chat/admin.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if settings.CHAT_MODELS or (obj is not None and obj.model):
            return fieldsets
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field != "model"]})
            for name, options in fieldsets
        ]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # every shop has one

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it is switched off

    def status(self, obj: ChatProfile) -> PublishingStatus:
        # A chat that is off shows on no document, but switching it off had to be published.
        return status_of(obj.tenant_id, *(document.key for _, document in pages_of_tenants([obj.tenant_id])))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        ChatProfile.ensure(shops(request))
        shop = only_shop(request)
        if shop is not None and request.method == "GET":
            return HttpResponseRedirect(reverse("admin:chat_chatprofile_change", args=[shop.pk]))
        return super().changelist_view(request, extra_context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context |= {"budget": budget_of(obj), "title": f"Chat of {obj.tenant}", "subtitle": None}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    @display(description="Shop", ordering="tenant__name")
    def tenant_name(self, obj: ChatProfile) -> str:
        return obj.tenant.name

    @display(description="Chat", ordering="enabled", label={"on": "success", "off": "info"})
    def on(self, obj: ChatProfile) -> tuple[str, str]:
        return ("on", "On") if obj.enabled else ("off", "Off")

    @display(description="Messages today")
    def messages_today(self, obj: ChatProfile) -> str:
        usage = usage_today(obj)
        return f"{usage.messages:,} of {obj.budgets['daily_messages']:,}"


def usage_today(profile: ChatProfile) -> Usage:
    today = timezone.now().date()
    return Usage.objects.filter(tenant=profile.tenant_id, day=today).first() or Usage(day=today)


def budget_of(profile: ChatProfile) -> dict[str, Any]:
    """Today's bars: what was used of what, in percent, and whether anything is left."""
    usage = usage_today(profile)
    most_messages, most_tokens = profile.budgets.values()
    rows = (("Messages", usage.messages, most_messages), ("Tokens", usage.tokens, most_tokens))
    bars = [
        {
            "title": name,
            "text": f"{used:,} of {most:,}",
            "percent": min(100, round(100 * used / most)) if most else 100,
            "class": "progress-over" if used >= most else "",
        }
        for name, used, most in rows
    ]
    return {"bars": bars, "over": any(used >= most for _, used, most in rows), "day": usage.day}
