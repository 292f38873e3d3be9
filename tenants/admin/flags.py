"""The queue of flags, for moderators: the weightiest and oldest first, taken by one person at a time."""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from controlplane.publishing.keyset import KeysetAdmin, badge
from controlplane.publishing.unfold import display
from tenants.admin.moderators import ModeratorsOnly
from tenants.flags import rules
from tenants.models import ContentRule, Flag, TakenError, Tenant
from tenants.publishing_line import address_of

STATUS_COLOURS = {"open": "warning", "assigned": "info", "resolved": "success", "dismissed": "default"}
KIND_COLOURS = {kind.value: "danger" if Flag.GRAVITY.get(kind.value, 0) >= 50 else "default" for kind in Flag.Kind}
MOST_REPORTS = 50
BY_RULE = {Flag.Kind.WORD, Flag.Kind.LINK, Flag.Kind.SCRIPT}


def open_count() -> str:
    """The sidebar's badge: how many nobody has taken, "99+" for more."""
    return badge(Flag.objects.filter(closed=False, status=Flag.Status.OPEN))


def moderators() -> models.QuerySet[User]:
    """Who can be given a flag."""
    backend = "django.contrib.auth.backends.ModelBackend"
    support, moderate = (
        User.objects.with_perm(f"tenants.{name}_tenant", backend=backend, include_superusers=True)
        for name in ("support", "moderate")
    )
    return moderate.filter(is_staff=True, pk__in=support.values("pk")).order_by("username")


class StatusFilter(admin.SimpleListFilter):
    """What is not closed, unless asked otherwise."""

    title = "status"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Flag.Status.choices] + [("all", "All")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Not closed"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() in Flag.Status.values:
            return queryset.filter(status=self.value())
        return queryset if self.value() == "all" else queryset.filter(closed=False)


class WhoseFilter(admin.SimpleListFilter):
    title = "assigned to"
    parameter_name = "whose"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("mine", "Me"), ("nobody", "Nobody")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if self.value() == "mine":
            return queryset.filter(assignee=request.user.pk)
        return queryset.filter(assignee=None) if self.value() == "nobody" else queryset


class ShopFilter(admin.SimpleListFilter):
    """The one shop that a link chose; there is no list of a million."""

    title = "shop"
    parameter_name = "shop"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        slug = request.GET.get(self.parameter_name, "")
        return [(slug, slug)] if slug else []

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        slug = self.value()
        return queryset.filter(tenant__in=Tenant.objects.filter(slug=slug)) if slug else queryset


class ActForm(forms.Form):
    """What a moderator types beside a flag."""

    note = forms.CharField(
        required=False, max_length=2000, strip=True, label="Note",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )  # fmt: skip
    reason = forms.CharField(
        required=False, max_length=300, label="Reason", widget=UnfoldAdminTextInputWidget(),
        help_text="What you found, or did about it.",
    )  # fmt: skip
    to = forms.ModelChoiceField(
        User.objects.none(), required=False, label="Assign to", widget=UnfoldAdminSelectWidget(), empty_label="Choose…"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chooser = cast(forms.ModelChoiceField, self.fields["to"])  # type: ignore[type-arg]
        chooser.queryset = moderators()


@admin.register(Flag)
class FlagAdmin(KeysetAdmin, ModeratorsOnly):
    list_display = ("what", "shop", "type", "origin", "reports", "state", "whose", "created_at")
    list_display_links = ("what",)
    list_filter = (StatusFilter, WhoseFilter, "source", "kind", ShopFilter)
    list_select_related = ("tenant", "assignee")
    list_per_page = 50
    sortable_by = ()
    ordering = ("closed", "-weight", "created_at", "id")
    search_fields = ("tenant__slug__startswith",)
    search_help_text = "By the beginning of a shop’s address on this platform."
    autocomplete_fields = ("tenant",)
    fields = ("tenant", "kind", "path", "excerpt")
    actions = ("take", "dismiss")

    class Media:
        css = {"all": ("tenants/flags.css",)}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # it is closed, and what was said of it stays

    # --- a flag of one's own ---

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":
            kwargs["choices"] = [(kind.value, kind.label) for kind in Flag.Kind if kind not in BY_RULE]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Flag, form: Any, change: bool) -> None:
        obj.source, obj.merge_key = Flag.Source.STAFF, uuid.uuid4().hex
        super().save_model(request, obj, form, change)
        obj.notes.create(author_id=request.user.pk, text="Raised this flag.")

    # --- one flag ---

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        flag: Flag = self.get_object(request, object_id)
        form = ActForm(request.POST or None)
        if request.method == "POST" and form.is_valid() and self._act(request, flag, form):
            return HttpResponseRedirect(request.get_full_path())
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "Flag", "original": flag, "flag": flag,
            "form": form, "media": self.media, "mine": flag.assignee_id == request.user.pk,
            "notes": flag.notes.select_related("author"), "reports": flag.reports.all()[:MOST_REPORTS],
            "links": links_of(flag), "others": Flag.objects.unfinished().filter(tenant=flag.tenant_id)
            .exclude(pk=flag.pk).order_by("-weight", "created_at")[:10],
        }  # fmt: skip
        return TemplateResponse(request, "tenants/admin/flag.html", context)

    def _act(self, request: HttpRequest, flag: Flag, form: ActForm) -> bool:
        """Does what the button says. False: something is missing, and the form tells what."""
        user, done = cast(User, request.user), request.POST.get("do", "")
        note, reason, to = (form.cleaned_data.get(name) for name in ("note", "reason", "to"))
        missing = {"note": ("note", note), "resolve": ("reason", reason), "dismiss": ("reason", reason),
                   "assign": ("to", to)}.get(done)  # fmt: skip
        if missing and not missing[1]:
            form.add_error(missing[0], "Please fill this in.")
            return False
        try:
            match done:
                case "take" | "give_back" | "reopen":
                    getattr(flag, done)(user)
                case "resolve" | "dismiss":
                    getattr(flag, done)(user, reason)
                case "assign":
                    flag.assignee_id = _seen(request.POST.get("seen", ""))
                    flag.assign(user, cast(User, to))
                case "note":
                    flag.notes.create(author_id=user.pk, text=str(note))
        except TakenError as error:
            self.message_user(request, f"Nothing was changed. {error}", messages.ERROR)
        return True

    # --- several ---

    @admin.action(description="Take", permissions=["change"])
    def take(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        chosen = self._chosen(queryset)
        self._told(request, len(chosen), chosen.take(cast(User, request.user)), "yours now")

    @admin.action(description="Dismiss", permissions=["change"])
    def dismiss(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
        """Asks for the reason first."""
        chosen, reason = self._chosen(queryset), request.POST.get("reason", "").strip()[:300]
        if reason:
            self._told(request, len(chosen), chosen.dismiss(cast(User, request.user), reason), "dismissed")
            return None
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": "Dismiss flags", "flags": chosen,
            "media": self.media, "form": ActForm(), "asked": "reason" in request.POST,
        }  # fmt: skip
        return TemplateResponse(request, "tenants/admin/flags_dismiss.html", context)

    def _chosen(self, queryset: models.QuerySet[Any]) -> Any:
        return Flag.objects.filter(pk__in=list(queryset.order_by().values_list("pk", flat=True))).select_related(
            "tenant"
        )

    def _told(self, request: HttpRequest, wanted: int, done: int, became: str) -> None:
        if done:
            flags = "1 flag is" if done == 1 else f"{done} flags are"
            self.message_user(request, f"{flags} {became}.", messages.SUCCESS)
        if left := wanted - done:
            others = "1 flag was" if left == 1 else f"{left} flags were"
            self.message_user(
                request, f"{others} left alone: taken by somebody else, or closed already.", messages.WARNING
            )

    # --- columns ---

    @display(description="What", header=True)
    def what(self, obj: Flag) -> tuple[str, str]:
        short = obj.excerpt if len(obj.excerpt) <= 90 else f"{obj.excerpt[:89]}…"
        return obj.path or str(obj.tenant), short

    @display(description="Shop")
    def shop(self, obj: Flag) -> str:
        return obj.tenant.name

    @display(description="Kind", label=KIND_COLOURS)
    def type(self, obj: Flag) -> tuple[str, str]:
        return obj.kind, obj.get_kind_display()

    @display(description="From")
    def origin(self, obj: Flag) -> str:
        return obj.get_source_display()

    @display(description="Reports")
    def reports(self, obj: Flag) -> str:
        return str(obj.count)

    @display(description="Status", label=STATUS_COLOURS)
    def state(self, obj: Flag) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    @display(description="Who")
    def whose(self, obj: Flag) -> str:
        return str(obj.assignee.get_full_name() or obj.assignee) if obj.assignee else "–"


def _seen(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def links_of(flag: Flag) -> list[dict[str, str]]:
    """Where to look: the thing itself, the shop, its other flags."""
    shop = reverse("admin:tenants_tenant_change", args=[flag.tenant_id])
    others = f"{reverse('admin:tenants_flag_changelist')}?status=all&shop={flag.tenant.slug}"
    found = [
        {"title": "The shop: suspend or restore", "icon": "storefront", "url": shop},
        {"title": "All flags of this shop", "icon": "flag", "url": others},
    ]
    if flag.path.startswith("/"):
        page = address_of(flag.tenant) + flag.path.lstrip("/")
        found.insert(0, {"title": "The page, as shoppers see it", "icon": "open_in_new", "url": page})
    if url := _edited_at(flag):
        found.insert(0, {"title": "Where it is edited", "icon": "edit", "url": url})
    return found


def _edited_at(flag: Flag) -> str:
    names = {"product": "catalog_product", "knowledge": "chat_knowledgesource"}
    landing = getattr(flag.tenant, "landing", None)
    try:
        if flag.subject in names:
            return reverse(f"admin:{names[flag.subject]}_change", args=[flag.subject_id])
        return reverse("admin:tenants_landing_change", args=[landing.pk]) if landing and flag.subject != "page" else ""
    except NoReverseMatch:
        return ""


@admin.register(ContentRule)
class ContentRuleAdmin(ModeratorsOnly):
    list_display = ("pattern", "type", "spoken", "consequence", "note")
    list_filter = ("kind", "severity", "language")
    search_fields = ("pattern", "note")
    ordering = ("pattern",)
    list_per_page = 100
    show_full_result_count = False
    fields = ("kind", "pattern", "severity", "language", "note")

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        rules.forget()

    @display(description="Kind", ordering="kind")
    def type(self, obj: ContentRule) -> str:
        return obj.get_kind_display()

    @display(description="Language", ordering="language")
    def spoken(self, obj: ContentRule) -> str:
        return obj.language or "Every"

    @display(description="What happens", ordering="severity", label={"flag": "info", "refuse": "danger"})
    def consequence(self, obj: ContentRule) -> tuple[str, str]:
        return obj.severity, obj.get_severity_display()
