"""For the platform's staff: shops that closed, and everything that is being erased, with what holds it up."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from controlplane.publishing.unfold import LookOnly, ModelAdmin, display
from tenants import closing
from tenants.erasing import machine, person
from tenants.erasing.shop import STEPS, known, leftovers_of
from tenants.models import ClosedShop, Erasure, Tenant
from tenants.scoping import may_close, may_moderate

SHOP_COLOURS = {"grace": "warning", "erasing": "danger", "erased": "success"}
STATES = {"done": ("success", "Done"), "running": ("info", "Under way"), "trouble": ("danger", "Held up")}


class ReadOnly(LookOnly, ModelAdmin):
    class Media:
        css = {"all": ["tenants/lifecycle.css"]}


@admin.register(ClosedShop)
class ClosedShopAdmin(ReadOnly):
    list_display = ("shop", "condition", "by_staff", "closed_at", "erase_at", "erased_at")
    list_filter = ("state", "by_staff")
    search_fields = ("id",)
    change_form_outer_after_template = "tenants/admin/closed_shop.html"
    fieldsets = ((None, {"fields": ("shop", "condition", "by_staff", "closed_at", "erase_at", "erased_at")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("shop", "condition")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        names = dict(Tenant.objects.filter(pk__in=[row.pk for row in found.result_list]).values_list("pk", "name"))
        for row in found.result_list:
            row.shop_name = names.get(row.pk, "")
        return found

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if (row := kwargs.get("obj")) is not None:
            context |= {
                "row": row,
                "erasure": Erasure.objects.filter(kind="shop", subject=str(row.pk)).first(),
                "steps": list(STEPS),
                "looked": "look" in request.GET,
                "leftovers": leftovers_of(row.pk, known(row.pk)) if "look" in request.GET else [],
                "may_restore": row.can_be_restored and may_moderate(request),
                "may_erase": row.can_be_restored and may_close(request),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[Any]:
        def view(name: str, handler: Any) -> Any:
            wrapped = self.admin_site.admin_view(require_POST(handler))
            return path(f"<uuid:object_id>/{name}/", wrapped, name=f"tenants_closedshop_{name}")

        return [view("restore", self.restore_view), view("erase", self.erase_view), *super().get_urls()]

    def restore_view(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        if not may_moderate(request):
            raise PermissionDenied
        shop = Tenant.objects.filter(pk=object_id).first()
        try:
            if shop is None:
                raise ValidationError("This shop can no longer be restored.")
            closing.restore(shop, by_staff=True)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
        else:
            self.message_user(request, f"{shop} is as it was before it closed.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:tenants_closedshop_changelist"))

    def erase_view(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Ends the grace period now; the shop's id is typed, so that it is the right one."""
        if not may_close(request):
            raise PermissionDenied
        here = reverse("admin:tenants_closedshop_change", args=[object_id])
        row = ClosedShop.objects.filter(pk=object_id, state=ClosedShop.State.GRACE).first()
        shop = Tenant.objects.filter(pk=object_id, status=Tenant.Status.CLOSED).first()
        if row is None or shop is None or request.POST.get("slug", "").strip() != shop.slug:
            self.message_user(request, "Nothing was erased: type the shop's address as it stands here.", messages.ERROR)
            return HttpResponseRedirect(here)
        closing.erase(shop, request.user)
        self.message_user(request, f"{shop} is being erased. This page shows how far it is.", messages.SUCCESS)
        return HttpResponseRedirect(here)

    @display(description="Shop")
    def shop(self, obj: Any) -> str:
        name = getattr(obj, "shop_name", None)
        if name is None:
            name = Tenant.objects.filter(pk=obj.pk).values_list("name", flat=True).first()
        return f"{name} ({obj.pk})" if name else str(obj.pk)

    @display(description="State", ordering="state", label=SHOP_COLOURS)
    def condition(self, obj: ClosedShop) -> tuple[str, str]:
        return obj.state, obj.get_state_display()


class EraseForm(forms.Form):
    """Whom to erase, by what we know them by."""

    WAYS = (
        ("email", "A person with an account, by their e-mail address"),
        ("conversation", "A shopper, by the id of a conversation"),
        ("cart", "A shopper, by the id of a cart"),
    )
    way = forms.ChoiceField(label="Whom", choices=WAYS, widget=UnfoldAdminSelectWidget)
    name = forms.CharField(label="Address or id", max_length=200, widget=UnfoldAdminTextInputWidget())
    sure = forms.BooleanField(label="I know that this can't be undone", widget=UnfoldBooleanWidget)

    def begin(self, by: Any) -> Erasure:
        """Raises ValidationError with what stands in the way."""
        way, name = self.cleaned_data["way"], self.cleaned_data["name"]
        if way == "email":
            return person.begin(name, by)
        begun: Erasure = import_string("chat.erasing.begin")(**{way: name}, by=by)  # upward, so by its path
        return begun


@admin.register(Erasure)
class ErasureAdmin(ReadOnly):
    list_display = ("what", "condition", "asked_at", "attempts", "next_try_at", "finished_at")
    list_filter = ("kind", ("finished_at", admin.EmptyFieldListFilter))
    actions = ("try_now",)
    fields = ("what", "condition", "asked_at", "asked_by", "finished_at", "attempts", "next_try_at", "error", "steps")
    readonly_fields = ("what", "condition", "steps")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_close(request)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = EraseForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                erasure = form.begin(request.user)
            except ValidationError as error:
                form.add_error("name", error)
            else:
                self.message_user(request, "The erasure is under way. This page shows how far it is.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:tenants_erasure_change", args=[erasure.pk]))
        title = "Erase a person or a shopper"
        page = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "form": form}
        return TemplateResponse(request, "tenants/admin/erase.html", page)

    @admin.action(description="Try again now", permissions=["view"])
    def try_now(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        waiting = Erasure.objects.filter(pk__in=list(queryset.values_list("pk", flat=True)), finished_at=None)
        count = waiting.update(next_try_at=timezone.now())
        machine.nudge()
        self.message_user(request, f"{count} {'erasure is' if count == 1 else 'erasures are'} tried again now.")

    @display(description="Whom or what")
    def what(self, obj: Erasure) -> str:
        hidden = obj.finished_at and obj.kind != Erasure.Kind.SHOP
        return f"{obj.get_kind_display()} (erased)" if hidden else f"{obj.get_kind_display()}: {obj.subject}"

    @display(description="State", label={name: colour for name, (colour, _) in STATES.items()})
    def condition(self, obj: Erasure) -> tuple[str, str]:
        return obj.state, STATES[obj.state][1]

    @display(description="Steps taken")
    def steps(self, obj: Erasure) -> str:
        return ", ".join(f"{name} ({obj.report.get(name, 0):,} removed)" for name in obj.done) or "none yet"
