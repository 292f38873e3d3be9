"""What shoppers asked and were told; merchants read it and delete it, nobody changes it."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from chat import retention
from chat.forms import OneShopForm
from chat.models import ChatProfile, Conversation, Turn
from controlplane.publishing.unfold import display
from tenants.scoping import TenantFilter, TenantScopedAdmin


class RatingFilter(admin.SimpleListFilter):
    title = "rating"
    parameter_name = "rating"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("up", "Helpful"), ("down", "Not helpful"), ("unanswered", "Unanswered")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        wanted = {"up": Q(rating=1), "down": Q(rating=-1), "unanswered": Q(answered=False)}.get(self.value() or "")
        turns = Turn.objects.filter(conversation=OuterRef("pk"))
        return queryset.filter(Exists(turns.filter(wanted))) if wanted else queryset


@admin.register(Conversation)
class ConversationAdmin(TenantScopedAdmin):
    list_display = ("opening", "tenant", "started_at", "questions", "without_answer", "ratings")
    list_filter = (RatingFilter, TenantFilter)
    list_select_related = ("tenant",)
    list_before_template = "chat/admin/conversations_before.html"
    change_form_before_template = "chat/admin/transcript.html"
    search_fields = ("turns__question", "turns__answer")
    date_hierarchy = "started_at"
    fieldsets = ()

    class Media:
        css = {"all": ("chat/admin.css",)}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        first = Turn.objects.filter(conversation=OuterRef("pk")).order_by("at", "pk")
        rows: models.QuerySet[Any] = super().get_queryset(request)
        annotated: models.QuerySet[Any] = rows.annotate(
            first_question=Subquery(first.values("question")[:1]),
            asked=Subquery(_count(Q())),
            unanswered=Subquery(_count(Q(answered=False))),
            up=Subquery(_count(Q(rating=1))),
            down=Subquery(_count(Q(rating=-1))),
        )
        return annotated

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.delete_all_view)
        return [path("delete-all/", view, name="chat_conversation_delete_all"), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None:
            turns = list(obj.turns.select_related("group"))
            context |= {"turns": turns, "title": str(obj), "subtitle": None, "kept_days": kept_days(obj)}
        return super().render_change_form(request, context, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Conversation) -> None:
        retention.delete_conversations(Conversation.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        retention.delete_conversations(self.deletable(request, queryset))

    def deletable(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Of the chosen ones those of shops where the user is more than a viewer."""
        return self.changeable(request, queryset)

    def delete_all_view(self, request: HttpRequest) -> HttpResponse:
        """Every conversation of one shop, after a question."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        form = OneShopForm(request, request.POST or None)
        if request.method == "POST" and (form.only or form.is_valid()):
            count = retention.delete_conversations(Conversation.objects.filter(tenant=form.tenant))
            conversations = "1 conversation was" if count == 1 else f"{count:,} conversations were"
            self.message_user(request, f"{conversations} deleted.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:chat_conversation_changelist"))
        more = {"opts": self.opts, "title": "Delete all conversations", "form": form}
        context = {**self.admin_site.each_context(request), **more}
        return TemplateResponse(request, "chat/admin/delete_all.html", context)

    @display(description="First question")
    def opening(self, obj: Any) -> str:
        text: str = obj.first_question or ""
        return text if len(text) <= 90 else f"{text[:89]}…"

    @display(description="Questions")
    def questions(self, obj: Any) -> int:
        return obj.asked or 0

    @display(description="Unanswered", label={"some": "warning"})
    def without_answer(self, obj: Any) -> tuple[str, str] | None:
        return ("some", str(obj.unanswered)) if obj.unanswered else None

    @display(description="Ratings")
    def ratings(self, obj: Any) -> str:
        parts = [f"{obj.up} helpful" if obj.up else "", f"{obj.down} not helpful" if obj.down else ""]
        return ", ".join(filter(None, parts)) or "–"


def _count(condition: Q) -> Any:
    turns = Turn.objects.filter(condition, conversation=OuterRef("pk")).order_by().values("conversation")
    return turns.annotate(number=Count("pk")).values("number")


def kept_days(conversation: Conversation) -> int:
    days = ChatProfile.objects.filter(tenant=conversation.tenant_id).values_list("retention_days", flat=True).first()
    return days or retention.DEFAULT_DAYS
