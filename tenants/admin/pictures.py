"""The picture library: its list, its uploads, and the requests of the picker that every picture field opens."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.forms.widgets import Script
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST
from unfold.widgets import UnfoldAdminFileFieldWidget

from controlplane.publishing.unfold import display
from tenants.editing import pictures_of
from tenants.models import Picture, Tenant
from tenants.pictures.fields import urls
from tenants.pictures.library import prepare, to_json
from tenants.pictures.rendering import MOST_BYTES, WHAT_WORKS
from tenants.pictures.uses import Use, uses_of
from tenants.scoping import Role, ShopForm, TenantFilter, TenantScopedAdmin, is_platform_staff, may, only_shop, shops

PAGE = 48
MOST_SHOPS = 50
ACCEPTED = "image/jpeg,image/png,image/webp,image/gif,image/avif"
LIMITS = f"JPEG, PNG, WebP, GIF or AVIF, at most {MOST_BYTES // 1024 // 1024} MB."


class PictureForm(ShopForm):
    class Meta:
        model = Picture
        fields = ("name", "alt")


class NewPictureForm(ShopForm):
    """An upload, checked by what is in it."""

    upload = forms.FileField(
        label="Picture", help_text=LIMITS, widget=UnfoldAdminFileFieldWidget(attrs={"accept": ACCEPTED})
    )

    class Meta:
        model = Picture
        fields = ("tenant", "alt")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        tenant, upload = cleaned.get("tenant") or self.shop, cleaned.get("upload")
        if tenant and upload:
            try:
                self.prepared = prepare(tenant, upload, cleaned.get("alt", ""))
            except ValidationError as error:
                self.add_error("upload", error)
        return cleaned

    def save(self, commit: bool = True) -> Picture:
        picture = self.prepared.keep()
        self.instance = picture
        return picture

    def save_m2m(self) -> None:
        """Nothing: the admin calls it."""


@admin.register(Picture)
class PictureAdmin(TenantScopedAdmin):
    form = PictureForm
    list_display = ("thumbnail", "name", "tenant", "alt", "size", "created_at")
    list_display_links = ("thumbnail", "name")
    list_filter = (TenantFilter,)
    list_select_related = ("tenant",)
    list_per_page = 50
    list_before_template = "tenants/admin/pictures/drop.html"
    search_fields = ("name", "alt")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("tenant", "shown", "name", "alt")}),
        ("Where it is", {"fields": ("used", "address", "size")}),
    )
    add_fieldsets = ((None, {"fields": ("tenant", "upload", "alt")}),)
    delete_confirmation_template = "tenants/admin/pictures/delete.html"

    class Media:
        css = {"all": ("tenants/pictures.css",)}
        js = [Script("tenants/pictures/list.js", type="module")]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is not None:
            return super().get_fieldsets(request, obj)
        hidden = only_shop(request, self.changed_by) is not None
        return [(None, {"fields": ("upload", "alt") if hidden else ("tenant", "upload", "alt")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        return () if obj is None else ("tenant", "shown", "used", "address", "size")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewPictureForm
        return super().get_form(request, obj, change=change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        elif not self.has_change_permission(request, obj):
            raise PermissionDenied

    def get_urls(self) -> list[URLPattern]:
        views = {"library": require_GET(self.library_view), "upload": require_POST(self.upload_view)}
        own = [
            path(f"{name}/", self.admin_site.admin_view(view), name=f"tenants_picture_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """With a place to drop pictures: into the one shop there is, the filtered one, or one of those offered."""
        chosen = shops(request, self.changed_by).filter(slug=request.GET.get("shop", "")).first()
        staff, only = is_platform_staff(request), chosen or only_shop(request, self.changed_by)
        offered = [only] if only else [] if staff else shops(request, self.changed_by).order_by("name")[:MOST_SHOPS]
        drop = {"shops": list(offered), "accepted": ACCEPTED, "limits": LIMITS, "urls": urls()}
        return super().changelist_view(request, {**(extra_context or {}), "drop": drop})

    def shop(self, request: HttpRequest, asked: str | None, least: Role = Role.VIEWER) -> Tenant:
        """Raises Http404 for a shop that is not the user's, PermissionDenied where they may only look."""
        try:
            found: Tenant | None = shops(request).filter(pk=uuid.UUID(asked or "")).first()
        except ValueError:
            found = None
        if found is None:
            raise Http404
        if not may(request, least, found.pk):
            raise PermissionDenied
        return found

    def library_view(self, request: HttpRequest) -> JsonResponse:
        """`?shop=` its pictures, newest first, those after `before`; `q` in name or description. And those in use."""
        tenant = self.shop(request, request.GET.get("shop"))
        query, before = request.GET.get("q", "").strip()[:80], request.GET.get("before", "")
        rows = Picture.objects.filter(tenant=tenant).order_by("-pk")
        if query:
            rows = rows.filter(Q(name__icontains=query) | Q(alt__icontains=query))
        if before:
            rows = rows.filter(pk__lt=_uuid(before))
        found = list(rows[: PAGE + 1])
        answer = {"pictures": [to_json(row) for row in found[:PAGE]], "more": len(found) > PAGE, "used": []}
        landing = getattr(tenant, "landing", None)
        if landing is not None and not query and not before:
            used = pictures_of(tenant, landing.page)
            answer["used"] = [one for one in used if f"/pictures/{tenant.pk}/" not in one["url"]]
        return JsonResponse(answer)

    def upload_view(self, request: HttpRequest) -> JsonResponse:
        """Puts `file` into the library of `shop`. 422 with a sentence for what is no picture that can be used."""
        tenant, upload = self.shop(request, request.POST.get("shop"), self.changed_by), request.FILES.get("file")
        if not isinstance(upload, UploadedFile):
            return JsonResponse({"message": f"Choose a file. {WHAT_WORKS}"}, status=422)
        try:
            prepared = prepare(tenant, upload)
        except ValidationError as error:
            return JsonResponse({"message": " ".join(error.messages)}, status=422)
        picture = prepared.keep()
        if prepared.rendering is not None:
            self.log_addition(request, picture, f"Uploaded the picture {picture}.")
        return JsonResponse({"picture": to_json(picture), "known": prepared.rendering is None})

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A picture in use is protected: the page says where it is used."""
        names, counts, lacking, protected = super().get_deleted_objects(objs, request)
        for picture in objs:
            protected = [*protected, *(_in_use(picture, use) for use in uses_of(picture))]
        return names, counts, lacking, protected

    @display(description="Picture")
    def thumbnail(self, obj: Picture) -> SafeString:
        html = '<img class="thumbnail" src="{}" alt="{}" width="40" height="40" loading="lazy">'
        return format_html(html, obj.thumb, obj.alt or obj.name)  # it is a link: it needs a name

    @display(description="Picture")
    def shown(self, obj: Picture) -> SafeString:
        return format_html('<img class="pic-shown" src="{}" alt="{}">', obj.url, obj.alt)

    @display(description="Size")
    def size(self, obj: Picture) -> str:
        return f"{obj.width} × {obj.height}, {filesizeformat(obj.bytes)}"

    @display(description="Address")
    def address(self, obj: Picture) -> SafeString:
        return format_html('<a class="pic-address" href="{0}" target="_blank" rel="noopener">{0}</a>', obj.url)

    @display(description="Used in")
    def used(self, obj: Picture) -> SafeString | str:
        found = uses_of(obj)
        return format_html_join(", ", "{}", ((_link(use),) for use in found)) if found else "Nowhere at the moment"


def _uuid(value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise Http404 from None


def _link(use: Use) -> SafeString:
    return format_html('<a class="pic-use" href="{}">{}</a>' if use.url else "{1}", use.url, use.text)


def _in_use(picture: Picture, use: Use) -> SafeString:
    return format_html("“{}” is used in {}", picture, _link(use))
