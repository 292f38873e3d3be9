"""On a shop's page: what it uses of its plan, its copy to take along, and its end."""

import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.handlers.asgi import ASGIRequest
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from tenants import closing, exporting
from tenants.admin.plans import bars_of
from tenants.models import ClosedShop, Export, Tenant
from tenants.scoping import Role, may_change_plans, may_close, may_moderate, roles

A_PIECE = 256 * 1024


class CloseForm(forms.Form):
    """Typing the name is the one thing that nobody does by accident."""

    name = forms.CharField(label="The shop's name", max_length=100, widget=UnfoldAdminTextInputWidget())
    no_copy = forms.BooleanField(
        label="I don't need a copy of the shop's data", required=False, widget=UnfoldBooleanWidget
    )

    def __init__(self, tenant: Tenant, has_copy: bool, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenant = tenant
        if has_copy:
            del self.fields["no_copy"]

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if name.casefold() != self.tenant.name.strip().casefold():
            raise ValidationError(f"Type “{self.tenant.name}”, the name of the shop you want to close.")
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "no_copy" in self.fields and not cleaned.get("no_copy"):
            raise ValidationError("Take a copy of your data first, or say that you don't need one.")
        return cleaned


class LifecycleViews:
    """For the admin of shops: the pages behind “Plan and usage”, “Export this shop” and “Close this shop”."""

    change_form_outer_after_template = "tenants/admin/lifecycle.html"

    def get_fieldsets(self: Any, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)  # type: ignore[misc]
        if obj is None or not may_change_plans(request):
            return fieldsets
        return [*fieldsets, ("Plan", {"fields": ("plan",)})]

    def formfield_for_foreignkey(self: Any, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]
        if db_field.name == "plan" and field is not None:
            field.required, field.empty_label = True, None
        return field

    def render_change_form(
        self: Any, request: HttpRequest, context: dict[str, Any], *args: Any, obj: Any = None, **kwargs: Any
    ) -> HttpResponse:
        if obj is not None:
            owner = is_owner(request, obj)
            context |= {"plan": obj.limits, "plan_bars": bars_of(obj), "plan_chat": chat_of(obj), "is_owner": owner}
        response: HttpResponse = super().render_change_form(request, context, *args, obj=obj, **kwargs)  # type: ignore[misc]
        return response

    def delete_model(self: Any, request: HttpRequest, obj: Tenant) -> None:
        """Everywhere, in the right order, and proven: not the database's rows alone."""
        closing.erase(obj, request.user)

    def delete_queryset(self: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for shop in Tenant.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))):
            closing.erase(shop, request.user)

    def get_urls(self: Any) -> list[Any]:
        def view(address: str, name: str, handler: Any) -> Any:
            return path(address, self.admin_site.admin_view(handler), name=f"tenants_tenant_{name}")

        return [
            view("<path:object_id>/close/", "close", self.close_view),
            view("<path:object_id>/restore/", "restore", require_POST(self.restore_view)),
            view("<path:object_id>/export/<uuid:export_id>/", "download", self.download_view),
            view("<path:object_id>/export/", "export", self.export_view),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def close_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """What closing means, and the form that does it; of a closed shop how to get it back."""
        shop: Tenant = self.get_object(request, object_id)
        owner = is_owner(request, shop)
        if not owner and not may_moderate(request):
            raise PermissionDenied
        row = ClosedShop.objects.filter(pk=shop.pk).first() if shop.status == Tenant.Status.CLOSED else None
        exports = list(Export.objects.filter(tenant=shop)[:5])
        form = CloseForm(shop, any(export.is_open() for export in exports), request.POST or None)
        if request.method == "POST" and row is None and owner and form.is_valid():
            closing.begin(shop, request.user)
            self.message_user(request, f"{shop} is closed. You can restore it for 30 days.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:tenants_tenant_close", args=[shop.pk]))
        more = {"form": form, "row": row, "is_owner": owner, "may_restore": may_restore(request, shop, row)}
        page: HttpResponse = self._lifecycle_page(request, shop, "close", f"Close {shop}", exports=exports, **more)
        return page

    def restore_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        shop: Tenant = self.get_object(request, object_id)
        staff = may_moderate(request)
        if not staff and not is_owner(request, shop):
            raise PermissionDenied
        try:
            closing.restore(shop, by_staff=staff)
        except ValidationError as error:
            self.message_user(request, error.messages[0], messages.ERROR)
            return HttpResponseRedirect(reverse("admin:tenants_tenant_close", args=[shop.pk]))
        self.message_user(request, f"{shop} is as it was before it closed.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[shop.pk]))

    def export_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        """GET: the copies there are; POST: asks for one."""
        shop: Tenant = self.get_object(request, object_id)
        if not is_owner(request, shop):
            raise PermissionDenied
        if request.method == "POST":
            exporting.ask(shop, request.user)
            self.message_user(request, "Your copy is being put together. We write to you when it is ready.")
            back = "close" if request.POST.get("back") == "close" else "export"
            return HttpResponseRedirect(reverse(f"admin:tenants_tenant_{back}", args=[shop.pk]))
        exports = list(Export.objects.filter(tenant=shop)[:20])
        context = {"exports": exports, "is_owner": True}
        page: HttpResponse = self._lifecycle_page(request, shop, "export", f"Export {shop}", **context)
        return page

    def download_view(self: Any, request: HttpRequest, object_id: str, export_id: uuid.UUID) -> Any:
        """The ZIP itself, for owners and as long as its link lasts; piece by piece."""
        shop: Tenant = self.get_object(request, object_id)
        export = Export.objects.filter(pk=export_id, tenant=shop).first()
        if not is_owner(request, shop) or export is None or not export.is_open():
            raise Http404
        try:
            file = export.file.open("rb")
        except FileNotFoundError:
            raise Http404 from None
        pieces: Any = later_pieces(file) if isinstance(request, ASGIRequest) else pieces_of(file)
        response = StreamingHttpResponse(pieces, content_type="application/zip")
        response["Content-Length"] = str(export.size)
        response["Content-Disposition"] = f'attachment; filename="{shop.slug}-{export.asked_at:%Y-%m-%d}.zip"'
        response["Cache-Control"] = "private, no-store"
        return response

    def _lifecycle_page(
        self: Any, request: HttpRequest, shop: Tenant, template: str, title: str, **more: Any
    ) -> HttpResponse:
        page = {
            **self.admin_site.each_context(request), "opts": self.opts, "title": title, "shop": shop,
            "now": timezone.now(), **more,
        }  # fmt: skip
        return TemplateResponse(request, f"tenants/admin/{template}.html", page)


def is_owner(request: HttpRequest, shop: Tenant) -> bool:
    """By membership: the platform's staff neither take a merchant's data along nor close a shop by themselves."""
    return roles(request).get(shop.pk) == Role.OWNER


def may_restore(request: HttpRequest, shop: Tenant, row: ClosedShop | None) -> bool:
    if row is None or not row.can_be_restored:
        return False
    return may_moderate(request) or may_close(request) or (is_owner(request, shop) and not row.by_staff)


def chat_of(shop: Tenant) -> list[str]:
    """The plan's caps on the chat, in words."""
    caps = (("messages", shop.limits.daily_messages), ("tokens", shop.limits.daily_tokens))
    return [f"{most:,} {name} a day" for name, most in caps if most is not None]


def pieces_of(file: Any) -> Iterator[bytes]:
    with file:
        while piece := file.read(A_PIECE):
            yield piece


async def later_pieces(file: Any) -> AsyncIterator[bytes]:
    """For ASGI, where Django would read an ordinary iterator to its end before it sends anything."""
    with file:
        while piece := await sync_to_async(file.read)(A_PIECE):
            yield piece
