"""The platform's own list of users and groups: for administrators, who lift nobody above themselves."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget

from controlplane.publishing.unfold import ModelAdmin
from tenants.models import Membership, Tenant

admin.site.unregister([User, Group])


def held_by(user: Any) -> set[str]:
    return set(user.get_all_permissions())


def outranks(person: Any, other: Any) -> bool:
    """Whether `person` may do all that `other`, a user or a group, may."""
    if person.is_superuser:
        return True
    if isinstance(other, Group):
        return names_of(other.permissions.all()) <= held_by(person)
    # An inactive user's permissions count as well: somebody might activate them.
    return not other.is_superuser and granted_to(other) <= held_by(person)


def granted_to(user: User) -> set[str]:
    return names_of(Permission.objects.filter(user=user) | Permission.objects.filter(group__user=user))


def names_of(permissions: Any) -> set[str]:
    pairs = permissions.order_by().values_list("content_type__app_label", "codename")
    return {f"{app_label}.{codename}" for app_label, codename in pairs}


def permissions_of(user: Any) -> Any:
    """The permissions that the user may hand on: their own."""
    every = Permission.objects.select_related("content_type")
    if user.is_superuser:
        return every
    held = held_by(user)
    return every.filter(pk__in=[one.pk for one in every if f"{one.content_type.app_label}.{one.codename}" in held])


def groups_of(user: Any) -> Any:
    if user.is_superuser:
        return Group.objects.all()
    return Group.objects.filter(pk__in=[group.pk for group in Group.objects.all() if outranks(user, group)])


class NewUserForm(UserCreationForm):  # type: ignore[misc]
    """A user's name is their e-mail address, with which they log in."""

    email = forms.EmailField(label="E-mail address", max_length=150, widget=UnfoldAdminEmailInputWidget)

    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if User.objects.filter(username__iexact=email).exists() or User.objects.filter(email__iexact=email).exists():
            raise ValidationError("There is a user with this e-mail address already.")
        self.instance.username = email
        return email


class Ranked(ModelAdmin):
    """Nobody changes or deletes what may do more than they may themselves."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or outranks(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or outranks(request.user, obj))

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        choices = {Permission: permissions_of, Group: groups_of}.get(db_field.remote_field.model)
        if choices is not None:
            kwargs["queryset"] = choices(request.user)
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(User)
class UserAdmin(Ranked, DjangoUserAdmin):  # type: ignore[type-arg]
    form = UserChangeForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    show_full_result_count = False
    add_fieldsets = ((None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        fixed = tuple(super().get_readonly_fields(request, obj))
        if getattr(request.user, "is_superuser", False):
            return fixed
        own = ("groups", "user_permissions", "is_staff", "is_active") if obj == request.user else ()
        return (*fixed, "is_superuser", *own)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and obj != request.user

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A shop's only owner stays: first another one, or the shop is closed."""
        objects, counts, denied, protected = super().get_deleted_objects(objs, request)
        return objects, counts, denied, [*protected, *(f"Only owner of {shop}" for shop in shops_left_alone(objs))]


def shops_left_alone(users: Any) -> list[Tenant]:
    """The shops that would have no owner without these users."""
    gone = [user.pk for user in users]
    owners = Membership.objects.filter(role=Membership.Role.OWNER)
    owned = Tenant.objects.filter(pk__in=owners.filter(user__in=gone).values("tenant"))
    return list(owned.exclude(pk__in=owners.exclude(user__in=gone).values("tenant")).order_by("name"))


@admin.register(Group)
class GroupAdmin(Ranked, DjangoGroupAdmin):  # type: ignore[misc]
    pass
