"""Knowledge: typed, uploaded or read from pages; what it became; and a place to try it."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from chat import imports, try_it
from chat.forms import PagesForm, QuestionForm, UploadForm, fault_of
from chat.models import EmbeddingState, KnowledgeSource
from controlplane.adapters.errors import AdapterError
from controlplane.publishing import cells
from controlplane.publishing.unfold import display
from tenants.plans import PlanLimitError
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import Role, TenantFilter, may, warn_of_limit

READING_COLOURS = {"done": "success", "queued": "info", "running": "info", "failed": "danger"}
TYPED = (KnowledgeSource.Kind.FAQ, KnowledgeSource.Kind.TEXT)


@admin.register(KnowledgeSource)
class KnowledgeSourceAdmin(PublishingLineAdmin):
    list_display = ("name", "tenant", "form_of", "progress", "state", "updated_at", "publishing")
    list_filter = ("kind", "status", "reading", TenantFilter)
    list_select_related = ("tenant",)
    search_fields = ("title", "body")
    actions = ("read_again",)
    list_before_template = "chat/admin/knowledge_ways.html"
    change_form_before_template = "chat/admin/source_before.html"
    change_form_after_template = "chat/admin/chunks.html"
    fieldsets = ((None, {"fields": ("tenant", "kind", "title", "body", "url", "status")}),)

    class Media:
        css = {"all": ("chat/admin.css",)}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None or obj.kind in TYPED:
            return super().get_fieldsets(request, obj)
        fields = (
            ("title", "url", "refresh", "status")
            if obj.kind == KnowledgeSource.Kind.PAGE
            else ("title", "url", "status")
        )
        return [(None, {"fields": fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, "url") if obj is not None and obj.kind == KnowledgeSource.Kind.PAGE else fixed

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            kwargs["choices"] = [(kind.value, kind.label) for kind in TYPED]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        views = {"upload": self.upload_view, "pages": self.pages_view, "try": self.try_view}
        own = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"chat_knowledgesource_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    # --- ways in ---

    def upload_view(self, request: HttpRequest) -> HttpResponse:
        form = UploadForm(request, request.POST or None, request.FILES or None)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST" and form.is_valid():
            self._accept(request, form)
            return HttpResponseRedirect(reverse("admin:chat_knowledgesource_changelist"))
        return self._page(request, "chat/admin/upload.html", "Upload files", form=form)

    def _accept(self, request: HttpRequest, form: UploadForm) -> None:
        taken = 0
        for file in form.cleaned_data["documents"]:
            if fault := fault_of(file):
                self.message_user(request, f"{file.name} was not taken: {fault}", messages.ERROR)
                continue
            try:
                accepted = imports.accept_file(form.tenant, file.name, file.read())
            except PlanLimitError as error:
                self.message_user(request, f"{file.name} was not taken: {error.messages[0]}", messages.ERROR)
                continue
            taken += 1
        if taken:
            warn_of_limit(request, accepted)
            files = "1 file is" if taken == 1 else f"{taken} files are"
            self.message_user(request, f"{files} being read. The list below shows how far they are.", messages.SUCCESS)

    def pages_view(self, request: HttpRequest) -> HttpResponse:
        form = PagesForm(request, request.POST or None)
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method == "POST" and form.is_valid():
            try:
                found = imports.accept_pages(form.tenant, form.cleaned_data["urls"], form.cleaned_data["refresh"])
            except PlanLimitError as error:
                form.add_error("urls", error)
            else:
                self._tell_of_pages(request, found)
                return HttpResponseRedirect(reverse("admin:chat_knowledgesource_changelist"))
        return self._page(request, "chat/admin/pages.html", "Import web pages", form=form)

    def _tell_of_pages(self, request: HttpRequest, found: list[KnowledgeSource]) -> None:
        warn_of_limit(request, found[0])
        pages = "1 page is" if len(found) == 1 else f"{len(found)} pages are"
        self.message_user(request, f"{pages} being read. The list below shows how far they are.", messages.SUCCESS)

    # --- try it ---

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """What a question finds, with scores. A GET, so that a finding can be shared and reloaded."""
        if not may(request, Role.VIEWER):
            raise PermissionDenied
        form = QuestionForm(request, request.GET or None, least=Role.VIEWER)
        finding, fault = None, ""
        if form.is_bound and form.is_valid():
            try:
                (finding,) = try_it.ask(form.tenant, [form.cleaned_data["question"]])
            except AdapterError as error:
                fault = error.message
        model = EmbeddingState.answering(form.tenant.pk) if finding else ""
        return self._page(
            request,
            "chat/admin/try.html",
            "Try the chat's knowledge",
            form=form,
            finding=finding,
            fault=fault,
            model=model,
        )

    def _page(self, request: HttpRequest, template: str, title: str, **more: Any) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, **more}
        return TemplateResponse(request, template, context)

    # --- one source ---

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            context |= {"source": obj, "chunks": chunks_of(obj), "answering": EmbeddingState.answering(obj.tenant_id)}
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def response_change(self, request: HttpRequest, obj: KnowledgeSource) -> HttpResponse:
        if "_read_again" in request.POST:
            imports.read_again([obj])
            self.message_user(request, "The page is being read again.", messages.SUCCESS)
            return HttpResponseRedirect(request.path)
        return super().response_change(request, obj)

    @admin.action(description="Read pages again now", permissions=["change"])
    def read_again(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        count = imports.read_again(self.changeable(request, queryset))
        pages = "1 page is" if count == 1 else f"{count} pages are"
        self.message_user(request, f"{pages} being read again.", messages.SUCCESS)

    @display(description="Question or title", ordering="title", header=True)
    def name(self, obj: KnowledgeSource) -> tuple[str, str]:
        """With what merchants want to know of a source that they didn't type."""
        below = obj.error or obj.file_name or (obj.url if obj.kind == KnowledgeSource.Kind.PAGE else "")
        return obj.title, below

    @display(description="Kind", ordering="kind")
    def form_of(self, obj: KnowledgeSource) -> str:
        return obj.get_kind_display()

    @display(description="Reading", ordering="reading", label=READING_COLOURS)
    def progress(self, obj: KnowledgeSource) -> tuple[str, str] | None:
        return (obj.reading, obj.get_reading_display()) if obj.kind not in TYPED else None

    @display(description="Status", ordering="status", label={"active": "success", "draft": "info"})
    def state(self, obj: KnowledgeSource) -> tuple[str, str]:
        return obj.status, obj.get_status_display()


def chunks_of(source: KnowledgeSource) -> dict[str, Any]:
    """What is stored of a source, for its form; says so where the store can't be asked."""
    try:
        stored = cells.vectors(source.tenant.vector_cell).stored(("knowledge", str(source.pk)))
    except AdapterError as error:
        return {"fault": error.message}
    times = [datetime.fromtimestamp(one.embedded_at / 1000, UTC) for one in stored]
    return {"rows": list(zip(stored, times, strict=True)), "at": max(times, default=None)}
