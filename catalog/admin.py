"""Products in the admin."""

from typing import Any
from urllib.parse import urljoin

from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from catalog.forms import ProductForm
from catalog.models import Product
from controlplane.publishing.keyset import KeysetAdmin
from controlplane.publishing.unfold import display
from storefront.documents import format_money
from tenants.flags import checking
from tenants.publishing_line import PublishingLineAdmin, address_of
from tenants.scoping import TenantFilter, is_platform_staff
from tenants.todo import LOW_STOCK

STATUS_COLOURS = {"active": "success", "draft": "info", "archived": "warning"}

MOST_TOLD = 10
"""Refused products that are named; the others are left as they are too."""


class StockFilter(admin.SimpleListFilter):
    """What the front page's notice counts: products on sale of which little or nothing is left."""

    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("low", f"{LOW_STOCK} or fewer left"), ("out", "Sold out")]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        most = {"low": LOW_STOCK, "out": 0}.get(self.value() or "")
        return queryset if most is None else queryset.filter(status="active", stock__lte=most)


NO_PICTURE = mark_safe('<span class="thumbnail" role="img" aria-label="No picture"></span>')


@admin.register(Product)
class ProductAdmin(KeysetAdmin, PublishingLineAdmin):
    form = ProductForm
    list_display = ("picture", "title", "tenant", "amount", "stock_left", "state", "publishing", "position")
    list_display_links = ("picture", "title")
    list_editable = ("position",)
    list_filter = ("status", StockFilter, TenantFilter)
    list_select_related = ("tenant",)
    list_per_page = 50
    search_fields = ("title", "slug", "tags")
    actions = ("make_active", "archive")
    fieldsets = (
        (None, {"fields": ("tenant", "title", "description_html")}),
        ("Price and stock", {"fields": (("price", "compare_at_price"), "stock")}),
        ("Picture", {"fields": ("image_url", "image_alt")}),
        ("Where it shows", {"fields": ("status", "tags", "slug", "position")}),
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        # In the shop's own order; over all shops the newest first, which an index has.
        everything = is_platform_staff(request) and TenantFilter.parameter_name not in request.GET
        return ("-pk",) if everything else super().get_ordering(request)

    @display(description="Picture")
    def picture(self, obj: Product) -> SafeString:
        if not obj.image_url:
            return NO_PICTURE
        source = urljoin(address_of(obj.tenant), obj.image_url)  # a path is one of the shop's
        return format_html(
            '<img class="thumbnail" src="{}" alt="{}" width="40" height="40" loading="lazy">', source, obj.title
        )

    @display(description="Price", ordering="price")
    def amount(self, obj: Product) -> str:
        return format_money(obj.price, obj.tenant.currency, obj.tenant.locale)

    @display(description="Stock", ordering="stock")
    def stock_left(self, obj: Product) -> str:
        return "Not tracked" if obj.stock is None else str(obj.stock)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def state(self, obj: Product) -> tuple[str, str]:
        return obj.status, obj.get_status_display()

    @admin.action(description="Make active", permissions=["change"])
    def make_active(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """But for products with words or links that are not allowed."""
        rows = self.changeable(request, queryset).exclude(status=Product.Status.ACTIVE).select_related("tenant")
        refused = {row.pk: message for row in rows if (message := checking.complaint(row.tenant, row.texts))}
        for message in list(refused.values())[:MOST_TOLD]:
            self.message_user(request, message, messages.ERROR)
        self._set_status(request, queryset.exclude(pk__in=refused), Product.Status.ACTIVE)
        for row in rows:
            if row.pk not in refused:
                checking.flag(row.tenant_id, row.texts)

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        self._set_status(request, queryset, Product.Status.ARCHIVED)

    def _set_status(self, request: HttpRequest, queryset: models.QuerySet[Any], status: Product.Status) -> None:
        count = (
            self.changeable(request, queryset).exclude(status=status).update(status=status, updated_at=timezone.now())
        )
        products = "product is" if count == 1 else "products are"
        self.message_user(request, f"{count} {products} now {status.label.lower()}.", messages.SUCCESS)
