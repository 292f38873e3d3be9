"""Moderation in the admin of shops: suspend and restore, appeals, closing by two, view as merchant."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from tenants.editing import is_uuid
from tenants.models import ActingSession, Appeal, ClosingRequest, Suspension, Tenant
from tenants.models.moderation import LONGEST_TEXT, follow
from tenants.moderation import acting, darkness
from tenants.publishing_line import PublishingLineAdmin
from tenants.scoping import Role, is_platform_staff, may_close, may_moderate, roles

MOST_AT_ONCE = 100
PART_NAMES = {"page": "Page and cart", "chat": "Chat", "products": "Products"}


def text_field(label: str, help_text: str = "", *, required: bool = True, longest: int = LONGEST_TEXT) -> Any:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 4})
    return forms.CharField(label=label, help_text=help_text, required=required, max_length=longest, widget=widget)


class SuspendForm(forms.Form):
    category = forms.ChoiceField(choices=[("", "Choose one"), *Suspension.Category.choices],
                                 widget=UnfoldAdminSelectWidget)  # fmt: skip
    text = text_field("What the merchant reads", "Say what is wrong and what has to change before the shop can return.")
    note = text_field("Internal note", "For colleagues only; the merchant never sees it.", required=False)


class ReasonForm(forms.Form):
    reason = text_field("Reason")


class WriteForm(forms.Form):
    reason = text_field("Why you change something in this shop", "Kept in the log.", longest=500)


class AppealForm(forms.Form):
    text = text_field("Your message", f"At most {LONGEST_TEXT:,} characters.")


class AnswerForm(forms.Form):
    answer = text_field("Your answer", "Sent to the shop's owners. The shop stays suspended unless you restore it.")


class ModeratedAdmin(PublishingLineAdmin):
    """What the admin of shops can do beyond a shop's own form. Whoever may not see it gets 404."""

    change_form_outer_before_template = "tenants/admin/moderation/panel.html"

    def get_urls(self) -> list[URLPattern]:
        def one(name: str, view: Callable[..., HttpResponse]) -> URLPattern:
            url = f"<path:object_id>/{name.replace('_', '-')}/"
            return path(url, self.admin_site.admin_view(view), name=f"tenants_tenant_{name}")

        def many(url: str, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
            return path(url, self.admin_site.admin_view(view), name=f"tenants_tenant_{name}")

        return [
            many("moderation/suspend/", "suspend", self.suspend_view),
            many("moderation/unsuspend/", "unsuspend", self.unsuspend_view),
            many("acting/stop/", "acting_stop", require_POST(self.acting_stop_view)),
            many("acting/write/", "acting_write", self.acting_write_view),
            one("suspension", self.suspension_view),
            one("appeal", require_POST(self.appeal_view)),
            one("answer", require_POST(self.answer_view)),
            one("darkness", self.darkness_view),
            one("act", require_POST(self.act_view)),
            one("ask_to_close", self.ask_to_close_view),
            one("closing", require_POST(self.closing_view)),
            *super().get_urls(),
        ]

    # Off the web, and back

    def go_to(self, name: str, chosen: models.QuerySet[Any]) -> HttpResponse:
        """A bulk action's next page, which asks for the reason."""
        ids = [str(pk) for pk in chosen.order_by().values_list("pk", flat=True)[: MOST_AT_ONCE + 1]]
        return HttpResponseRedirect(f"{reverse(f'admin:tenants_tenant_{name}')}?{urlencode({'ids': ','.join(ids)})}")

    def suspend_view(self, request: HttpRequest) -> HttpResponse:
        chosen = self.chosen(request)
        form = SuspendForm(request.POST or None)
        if chosen and form.is_valid():
            return self.each(
                request, chosen, "suspended", lambda one, by: Suspension.start(one, by, **form.cleaned_data)
            )
        return self.ask(request, "suspend", {"form": form, "tenants": chosen, "danger": True,
                                             "title": "Suspend", "button": "Suspend"})  # fmt: skip

    def unsuspend_view(self, request: HttpRequest) -> HttpResponse:
        chosen = self.chosen(request)
        if chosen and request.method == "POST":
            return self.each(request, chosen, "back on the web", Suspension.lift)
        return self.ask(request, "unsuspend", {"tenants": chosen, "title": "Restore", "button": "Restore"})

    def chosen(self, request: HttpRequest) -> Sequence[Tenant]:
        require(request, may_moderate)
        ids = (request.POST or request.GET).get("ids", "").split(",")
        found = Tenant.objects.filter(pk__in=[one for one in ids if is_uuid(one)][: MOST_AT_ONCE + 1]).order_by("name")
        if len(found) > MOST_AT_ONCE:
            messages.error(request, f"At most {MOST_AT_ONCE} shops at once.")
            return []
        return list(found)

    def each(
        self, request: HttpRequest, chosen: Sequence[Tenant], done: str, act: Callable[[Tenant, User], object]
    ) -> HttpResponse:
        refused = []
        for tenant in chosen:
            try:
                act(tenant, cast(User, request.user))
                self.log_change(request, tenant, f"Moderation: {done}.")
            except ValidationError as error:
                refused += error.messages
        count = len(chosen) - len(refused)
        if count:
            self.message_user(request, f"{count} {'shop is' if count == 1 else 'shops are'} {done}.", messages.SUCCESS)
        if refused:
            self.message_user(request, " ".join(refused), messages.WARNING)
        return self.back(chosen[0]) if len(chosen) == 1 else HttpResponseRedirect(changelist())

    # What keeps a shop off the web: the merchant's page, and what both sides write

    def suspension_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.suspension_page(request, self.seen(request, object_id), AppealForm())

    def suspension_page(self, request: HttpRequest, tenant: Tenant, form: forms.Form) -> HttpResponse:
        suspension = Suspension.of(tenant)
        appeals = list(suspension.appeals.all()) if suspension else []
        context = {
            "tenant": tenant, "suspension": suspension, "appeals": appeals, "form": form, "title": "Suspension",
            "original": tenant, "speaks": speaks_for(request, tenant),
            "waits": any(appeal.answered_at is None for appeal in appeals),
        }  # fmt: skip
        return self.page(request, "suspension", context)

    def appeal_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = self.seen(request, object_id)
        if not speaks_for(request, tenant):
            raise PermissionDenied
        suspension, form = Suspension.of(tenant), AppealForm(request.POST)
        if suspension is not None and form.is_valid():
            try:
                Appeal.send(suspension, cast(User, request.user), form.cleaned_data["text"])
                self.message_user(request, "Your message is sent. We answer here and by e-mail.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:tenants_tenant_suspension", args=[tenant.pk]))
            except ValidationError as error:
                form.add_error("text", error.messages)
        return self.suspension_page(request, tenant, form)

    def answer_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        require(request, may_moderate)
        tenant = self.seen(request, object_id)
        appeal = Appeal.objects.filter(suspension__tenant=tenant, answered_at=None).first()
        try:
            if appeal is None:
                raise ValidationError("Somebody has answered this already.")
            appeal.answer_with(cast(User, request.user), request.POST.get("answer", ""))
            self.message_user(request, "The answer is on its way to the owners.", messages.SUCCESS)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        return self.back(tenant)

    def darkness_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """How far the web has followed, for the panel's refreshing; a POST has the workers look again."""
        require(request, is_platform_staff)
        tenant = self.seen(request, object_id)
        suspension = Suspension.of(tenant)
        if request.method == "POST":
            require(request, may_moderate)
            if suspension is not None:
                follow(suspension.pk)
            return self.back(tenant)
        return TemplateResponse(
            request, "tenants/admin/moderation/darkness.html", {"original": tenant, **darkness_of(suspension)}
        )

    # The end of a shop, by two people

    def ask_to_close_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        require(request, may_close)
        tenant = self.seen(request, object_id)
        form = ReasonForm(request.POST or None)
        if form.is_valid():
            try:
                ClosingRequest.ask(tenant, cast(User, request.user), form.cleaned_data["reason"])
                self.message_user(request, "A second person has to agree now.", messages.SUCCESS)
                return self.back(tenant)
            except ValidationError as error:
                form.add_error("reason", error.messages)
        return self.ask(request, "ask_to_close", {"form": form, "tenants": [tenant], "original": tenant,
                                           "title": "Ask to close", "button": "Ask a second person"})  # fmt: skip

    def closing_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Agrees to, declines or withdraws the request that `request` names: what was on the page, not a later one."""
        require(request, may_close)
        tenant = self.seen(request, object_id)
        named, verb = request.POST.get("request", ""), request.POST.get("verb", "")
        found = ClosingRequest.objects.filter(tenant=tenant, pk=named).first() if is_uuid(named) else None
        if found is None or verb not in ("agree", "decline", "withdraw"):
            raise Http404
        try:
            getattr(found, verb)(cast(User, request.user))
            self.log_change(request, tenant, f"Closing: {found.get_decision_display().lower()}.")
            self.message_user(request, f"{found.get_decision_display()}.", messages.SUCCESS)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        return self.back(tenant)

    # View as merchant

    def act_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        require(request, is_platform_staff)
        acting.start(request, self.seen(request, object_id), ActingSession.Mode.READ)
        return HttpResponseRedirect(reverse("admin:index"))

    def acting_stop_view(self, request: HttpRequest) -> HttpResponse:
        running = acting.acting_of(request)
        acting.stop(request, ActingSession.End.STOPPED)
        return self.back(running.tenant) if running and running.tenant else HttpResponseRedirect(reverse("admin:index"))

    def acting_write_view(self, request: HttpRequest) -> HttpResponse:
        running = acting.acting_of(request)
        if running is None or running.tenant is None:
            raise Http404
        if not ActingSession.allows(acting.real_user(request), ActingSession.Mode.WRITE):
            raise PermissionDenied
        form = WriteForm(request.POST or None)
        if form.is_valid():
            acting.start(request, running.tenant, ActingSession.Mode.WRITE, form.cleaned_data["reason"])
            return HttpResponseRedirect(reverse("admin:index"))
        return self.ask(request, "write", {"form": form, "tenants": [running.tenant], "title": "Allow changes",
                                           "button": "Allow changes for 30 minutes"})  # fmt: skip

    # Pages

    def seen(self, request: HttpRequest, object_id: str) -> Tenant:
        tenant: Tenant = self.get_object(request, object_id)
        if not self.has_view_permission(request, tenant):
            raise Http404
        return tenant

    def back(self, tenant: Tenant) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[tenant.pk]))

    def ask(self, request: HttpRequest, kind: str, context: dict[str, Any]) -> HttpResponse:
        tenants = context["tenants"]
        alone = tenants[0] if len(tenants) == 1 and is_platform_staff(request) else None
        back = reverse("admin:tenants_tenant_change", args=[alone.pk]) if alone else reverse("admin:index")
        ids = ",".join(str(tenant.pk) for tenant in tenants)
        return self.page(request, "ask", {"kind": kind, "ids": ids, "cancel": back, **context})

    def page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"tenants/admin/moderation/{name}.html", context)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None and is_platform_staff(request):
            context["moderation"] = panel_of(request, obj)
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)


def require(request: HttpRequest, allowed: Callable[[HttpRequest], bool]) -> None:
    """Raises Http404 for who is no colleague at all, PermissionDenied for one who may not do this."""
    if not is_platform_staff(request):
        raise Http404
    if not allowed(request):
        raise PermissionDenied


def speaks_for(request: HttpRequest, tenant: Tenant) -> bool:
    """By membership: nobody of the platform speaks for a merchant."""
    return acting.acting_of(request) is None and roles(request).get(tenant.pk) == Role.OWNER


def changelist() -> str:
    return reverse("admin:tenants_tenant_changelist")


def panel_of(request: HttpRequest, tenant: Tenant) -> dict[str, Any]:
    """What a colleague sees above a shop's form: five queries at most."""
    past = list(tenant.suspensions.select_related("by")[:6])
    current = next((one for one in past if one.lifted_at is None), None)
    closing = ClosingRequest.open_of(tenant)
    appeals = list(current.appeals.all()) if current else []
    return {
        "may_moderate": may_moderate(request), "may_close": may_close(request),
        "active": tenant.status == Tenant.Status.ACTIVE, "suspended": tenant.status == Tenant.Status.SUSPENDED,
        "closed": tenant.status == Tenant.Status.CLOSED,
        "suspension": current, "appeals": appeals, "past": [one for one in past if one.lifted_at is not None],
        "unanswered": any(appeal.answered_at is None for appeal in appeals), "form": AnswerForm(),
        "closing": closing, "asked_by_me": bool(closing and closing.asked_by_id == request.user.pk),
        **darkness_of(current),
    }  # fmt: skip


def darkness_of(suspension: Suspension | None) -> dict[str, Any]:
    if suspension is None:
        return {"parts": []}
    parts = [(PART_NAMES[part], getattr(suspension, f"{part}_dark_after")) for part in darkness.PARTS]
    return {"parts": parts, "dark_after": suspension.dark_after, "problem": suspension.problem,
            "watching": suspension.dark_after is None}  # fmt: skip
