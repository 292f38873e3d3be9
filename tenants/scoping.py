"""Who sees and changes what in the admin: whatever a merchant touches belongs to a shop of their memberships.

Merchants hold no Django permissions: their role in the object's shop decides. Platform staff (tenants.staff) see every
shop, which doesn't mean that they change anything there: only administrators do, and everybody in shops of their own.
Anything of another shop does not exist for a merchant: 404, never 403 or a redirect.
"""

import functools
import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse

from controlplane.publishing.unfold import ModelAdmin, OrNotFound
from tenants.models import RANK, Membership, Tenant
from tenants.moderation.acting import acting_of
from tenants.plans import Counted, make_room, use_of

Role = Membership.Role


def is_platform_staff(request: HttpRequest) -> bool:
    """Whether the user looks into every shop. To look only: for changes ask `may`, or one of the functions below."""
    return _holds(request, "tenants.support_tenant")


def may_moderate(request: HttpRequest) -> bool:
    """Whether the user suspends and restores shops and works on the queue of flags."""
    return is_platform_staff(request) and _holds(request, "tenants.moderate_tenant")


def may_close(request: HttpRequest) -> bool:
    """Whether the user may ask for, and as a second person agree to, the end of a shop."""
    return is_platform_staff(request) and _holds(request, "tenants.close_tenant")


def may_open(request: HttpRequest) -> bool:
    """Whether the user opens shops for others."""
    return is_platform_staff(request) and _holds(request, "tenants.add_tenant")


def may_change_any_shop(request: HttpRequest) -> bool:
    """Whether the user changes what is in any shop, as its owner would: administrators, not support or moderators."""
    return is_platform_staff(request) and _holds(request, "tenants.change_tenant")


def _holds(request: HttpRequest, permission: str) -> bool:
    user = request.user
    return isinstance(user, User) and user.has_perm(permission)  # False for inactive users


def may_change_plans(request: HttpRequest) -> bool:
    """Whether the user gives shops their plans; the plans themselves are data of whoever may change them."""
    return _holds(request, "tenants.change_plan")


def warn_of_limit(request: HttpRequest, obj: Any) -> None:
    """Tells who has just added something that the shop's plan is nearly, or wholly, used up."""
    if not isinstance(obj, Counted) or not obj.takes_room:
        return
    if text := use_of(obj.shop_id, obj.counted_as).warning:
        messages.warning(request, text)


def roles(request: HttpRequest) -> dict[uuid.UUID, Role]:
    """The user's role by shop; one query a request."""
    cached: dict[uuid.UUID, Role] | None = getattr(request, "_roles_by_shop", None)
    acting = acting_of(request)
    if acting is not None and acting.tenant_id is not None:
        return {acting.tenant_id: acting.role}
    if cached is None:
        rows = Membership.objects.filter(user=request.user.pk).values_list("tenant_id", "role")
        cached = {tenant_id: Role(role) for tenant_id, role in rows}
        setattr(request, "_roles_by_shop", cached)  # noqa: B010 - not declared on HttpRequest
    return cached


def may(request: HttpRequest, least: Role, tenant_id: uuid.UUID | None = None) -> bool:
    """Whether the user has at least this role in the shop; without a shop: in any of theirs."""
    if is_platform_staff(request) if least == Role.VIEWER else may_change_any_shop(request):
        return True
    if not getattr(request.user, "is_staff", False):
        return False
    held = roles(request)
    ranks = [RANK[held[tenant_id]]] if tenant_id in held else []
    if tenant_id is None:
        ranks = [RANK[role] for role in held.values()]
    return any(rank >= RANK[least] for rank in ranks)


def shops(request: HttpRequest, least: Role = Role.VIEWER) -> models.QuerySet[Tenant]:
    """The shops in which the user has at least this role."""
    visible: models.QuerySet[Tenant] = Tenant.objects.visible_to(request.user)
    if least == Role.VIEWER or may_change_any_shop(request):
        return visible
    return visible.filter(pk__in=[pk for pk, role in roles(request).items() if RANK[role] >= RANK[least]])


def only_shop(request: HttpRequest, least: Role = Role.VIEWER) -> Tenant | None:
    """The merchant's shop if there is exactly one; platform staff always choose."""
    if is_platform_staff(request):
        return None
    found = list(shops(request, least)[:2])
    return found[0] if len(found) == 1 else None


class Scoped:
    """Permissions by role, for admins and inlines. `tenant_path` leads from the object to its shop."""

    tenant_path = "tenant"
    changed_by: Role = Role.EDITOR

    def tenant_id_of(self, obj: models.Model) -> uuid.UUID:
        *steps, last = self.tenant_path.split("__")
        owner: Any = functools.reduce(getattr, steps, obj)
        tenant_id: uuid.UUID = owner.pk if last == "pk" else getattr(owner, f"{last}_id")
        return tenant_id

    def allows(self, request: HttpRequest, least: Role, obj: models.Model | None) -> bool:
        return may(request, least, self.tenant_id_of(obj) if obj is not None else None)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may(request, Role.VIEWER)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, Role.VIEWER, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.changed_by, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.changed_by, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.allows(request, self.changed_by, obj)


class ShopForm(forms.ModelForm[Any]):
    """The form of an object that belongs to a shop; `shop` is set where the user has no choice.

    The shop takes part in validation even where the form does not show it: uniqueness is per shop.
    """

    shop: Tenant | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.shop is not None and self.instance._state.adding:
            self.instance.tenant = self.shop

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        new = self.instance
        if not self.errors and isinstance(new, Counted) and new._state.adding and new.takes_room:
            try:
                make_room(new.shop_id, new.counted_as)
            except ValidationError as error:
                self.add_error(None, error)

    def _get_validation_exclusions(self) -> set[str]:
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - {"tenant"} if self.instance.tenant_id else excluded


class TenantFilter(admin.SimpleListFilter):
    """By shop, for people with more than one; the choices are their own shops."""

    title = "shop"
    parameter_name = "shop"
    path = "tenant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = shops(request)
        if is_platform_staff(request):  # a million to choose from: the one in the address, as links set it
            return list(found.filter(slug=self.used_parameters.get(self.parameter_name)).values_list("slug", "name"))
        mine = list(found.order_by("name").values_list("slug", "name")[:50])
        return mine if len(mine) > 1 else []

    def queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.filter(**{f"{self.path}__in": shops(request).filter(slug=self.value())})


class TenantScopedAdmin(OrNotFound, Scoped, ModelAdmin):
    """The admin of a model that belongs to a shop, limited to the user's shops in every view."""

    form: Any = ShopForm
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if is_platform_staff(request) else rows.filter(**{f"{self.tenant_path}__in": shops(request)})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        from tenants import switcher  # which stands on this module

        return switcher.follow(request, self.get_list_filter(request)) or super().changelist_view(
            request, extra_context
        )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        from tenants import switcher

        return {**switcher.initial(request), **super().get_changeform_initial_data(request)}

    def changeable(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Of the chosen objects those of shops where the user may change them, without order or joins."""
        chosen = list(queryset.order_by().values_list("pk", flat=True))
        rows: models.QuerySet[Any] = self.model._default_manager.filter(pk__in=chosen)
        if may_change_any_shop(request):
            return rows
        return rows.filter(**{f"{self.tenant_path}__in": shops(request, self.changed_by)})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        # Also reached by a list's editable columns, where Django asks for no permission on the single object.
        if not self.has_change_permission(request, obj):
            raise PermissionDenied
        super().save_model(request, obj, form, change)
        if not change:
            warn_of_limit(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        if issubclass(form, ShopForm) and obj is None:
            form.shop = only_shop(request, self.changed_by)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if only_shop(request, self.changed_by if obj is None else Role.VIEWER) is None:
            return fieldsets
        return [
            (name, {**options, "fields": [field for field in options["fields"] if field != "tenant"]})
            for name, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        return fixed if obj is None else (*fixed, "tenant")

    def get_autocomplete_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return ("tenant",) if is_platform_staff(request) else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        remote = db_field.remote_field.model
        if remote is Tenant:
            kwargs["queryset"] = shops(request, self.changed_by)
        elif remote in self.admin_site._registry:
            kwargs["queryset"] = self.admin_site._registry[remote].get_queryset(request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        for icon in ("add", "change", "delete", "view"):  # beside a chooser of shops they lead astray
            if field is not None and hasattr(field.widget, f"can_{icon}_related"):
                setattr(field.widget, f"can_{icon}_related", False)
        return field

    def get_list_display(self, request: HttpRequest) -> Any:
        columns = super().get_list_display(request)
        return [column for column in columns if column != "tenant"] if only_shop(request) else columns
