"""The inbox of unanswered questions: answer one, and see first what the answer would change."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from chat import inbox, try_it
from chat.forms import AnswerForm
from chat.models import KnowledgeSource, QuestionGroup
from controlplane.adapters.errors import AdapterError
from controlplane.publishing.keyset import badge
from controlplane.publishing.unfold import display
from tenants.plans import PlanLimitError
from tenants.scoping import Role, TenantFilter, TenantScopedAdmin, shops, warn_of_limit

STATE_COLOURS = {"open": "warning", "answered": "success", "dismissed": "info"}
State = QuestionGroup.State


class StateFilter(admin.SimpleListFilter):
    """Open ones unless asked otherwise."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("answered", "Answered"), ("dismissed", "Dismissed"), ("all", "All")]

    def choices(self, changelist: Any) -> Any:
        for choice in super().choices(changelist):
            yield (
                {**choice, "display": "Open"}
                if choice["query_string"] == "?"
                or (choice["display"] == "All" and "state=all" not in choice["query_string"])
                else choice
            )

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        return queryset if self.value() == "all" else queryset.filter(state=self.value() or State.OPEN)


@admin.register(QuestionGroup)
class QuestionGroupAdmin(TenantScopedAdmin):
    list_display = ("question", "tenant", "times", "first_asked", "last_asked", "badge")
    list_filter = (StateFilter, TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("text", "turns__question")
    actions = ("dismiss", "reopen")
    change_form_outer_before_template = "chat/admin/group.html"

    class Media:
        css = {"all": ("chat/admin.css",)}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it is dismissed; its questions go with their conversations

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows: Any = inbox.with_counts(super().get_queryset(request))
        asked: models.QuerySet[Any] = rows.filter(asked__gt=0).order_by("-asked", "-last_at")
        return asked

    def get_ordering(self, request: HttpRequest) -> Any:
        return ()  # by the annotations that get_queryset() adds later

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return ()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        buttons = ("show_save", "show_save_and_continue", "show_save_and_add_another", "show_delete")
        more = {
            **(extra_context or {}),
            **dict.fromkeys(buttons, False),
            "title": "Unanswered question",
            "subtitle": None,
        }
        return super().change_view(request, object_id, form_url, more)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        obj = kwargs.get("obj")
        if obj is not None:
            context |= {"group": obj, "questions": inbox.past_questions(obj), "may_answer": self._may(request, obj)}
        return super().render_change_form(request, context, *args, **kwargs)

    def _may(self, request: HttpRequest, obj: QuestionGroup) -> bool:
        return self.allows(request, Role.EDITOR, obj)

    def get_urls(self) -> list[URLPattern]:
        views = {"answer": self.answer_view, "state": self.state_view}
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"chat_questiongroup_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def _group(self, request: HttpRequest, object_id: str) -> QuestionGroup:
        group: QuestionGroup = self.get_object(request, object_id)
        if not self._may(request, group):
            raise PermissionDenied
        return group

    def state_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """POST: dismiss or reopen one."""
        group = self._group(request, object_id)
        wanted = request.POST.get("state")
        if request.method == "POST" and wanted in (State.OPEN, State.DISMISSED):
            QuestionGroup.objects.filter(pk=group.pk).update(state=wanted)
            self.message_user(request, f"The question is {State(wanted).label.lower()} now.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:chat_questiongroup_changelist"))

    def answer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write the answer, look at what it changes, publish it."""
        group = self._group(request, object_id)
        draft = KnowledgeSource(tenant=group.tenant, kind=KnowledgeSource.Kind.FAQ)
        form = AnswerForm(request.POST or None, instance=draft, initial={"title": group.text[:200]})
        context: dict[str, Any] = {"group": group, "form": form, "questions": inbox.past_questions(group)}
        if request.method == "POST" and form.is_valid():
            if "_publish" in request.POST:
                try:
                    return self._publish(request, group, draft)
                except PlanLimitError as error:
                    form.add_error(None, error)
            context |= preview(group, draft)
        title = "Answer a question"
        page = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **context}
        return TemplateResponse(request, "chat/admin/answer.html", page)

    def _publish(self, request: HttpRequest, group: QuestionGroup, draft: KnowledgeSource) -> HttpResponse:
        with transaction.atomic():
            draft.save()
            inbox.answered(group, draft)
        warn_of_limit(request, draft)
        self.message_user(request, "The answer is in the chat's knowledge and being published.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:chat_questiongroup_changelist"))

    @admin.action(description="Dismiss", permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        self._set_state(request, queryset, State.DISMISSED)

    @admin.action(description="Open again", permissions=["change"])
    def reopen(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        self._set_state(request, queryset, State.OPEN)

    def _set_state(self, request: HttpRequest, queryset: models.QuerySet[Any], state: QuestionGroup.State) -> None:
        count = self.changeable(request, queryset).update(state=state)
        questions = "1 question is" if count == 1 else f"{count} questions are"
        self.message_user(request, f"{questions} {state.label.lower()} now.", messages.SUCCESS)

    @display(description="Question")
    def question(self, obj: QuestionGroup) -> str:
        return obj.text if len(obj.text) <= 120 else f"{obj.text[:119]}…"

    @display(description="Asked", ordering="asked")
    def times(self, obj: Any) -> str:
        return "once" if obj.asked == 1 else f"{obj.asked} times"

    @display(description="First asked", ordering="first_at")
    def first_asked(self, obj: Any) -> Any:
        return obj.first_at

    @display(description="Last asked", ordering="last_at")
    def last_asked(self, obj: Any) -> Any:
        return obj.last_at

    @display(description="State", label=STATE_COLOURS)
    def badge(self, obj: QuestionGroup) -> tuple[str, str]:
        return obj.state, obj.get_state_display()


def preview(group: QuestionGroup, draft: KnowledgeSource) -> dict[str, Any]:
    """How the past questions are answered now, and how they would be with the draft."""
    questions = inbox.past_questions(group)
    try:
        before, after = try_it.ask(group.tenant, questions), try_it.ask(group.tenant, questions, draft)
    except AdapterError as error:
        return {"fault": error.message}
    rows = [
        {"question": old.question, "before": old, "after": new, "own": bool(new.best and _is(new.best, draft))}
        for old, new in zip(before, after, strict=True)
    ]
    return {"rows": rows, "answered": sum(new.answers for new in after)}


def _is(hit: Any, draft: KnowledgeSource) -> bool:
    return bool(hit.passage.source_id == str(draft.pk))


def open_count(request: HttpRequest) -> str:
    """The sidebar's badge."""
    return badge(QuestionGroup.objects.filter(state=State.OPEN, tenant__in=shops(request)).exclude(turns=None))
