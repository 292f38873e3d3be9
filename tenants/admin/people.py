"""Who works in a shop."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from controlplane.publishing.models import take_turns
from controlplane.publishing.unfold import TabularInline
from tenants.models import Membership
from tenants.moderation.acting import acting_of
from tenants.scoping import Role, Scoped, is_platform_staff, may_change_any_shop


class MembershipForm(forms.ModelForm[Membership]):
    """By their exact user name, for administrators only: merchants invite by e-mail (tenants.admin.invitations)."""

    person = forms.CharField(max_length=150, label="User name", widget=UnfoldAdminTextInputWidget())

    class Meta:
        model = Membership
        fields = ("person", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["person"].disabled = True
            self.initial["person"] = self.instance.user.get_username()

    def clean_person(self) -> str:
        name: str = self.cleaned_data["person"]
        if self.instance._state.adding:
            user = User.objects.filter(username=name, is_staff=True, is_active=True).first()
            if user is None:
                raise ValidationError("Nobody with this user name can log in here.")
            self.instance.user = user
        return name


class MembershipFormSet(BaseInlineFormSet[Any, Any, Any]):
    """Keeps an owner in every shop and each person once."""

    def clean(self) -> None:
        super().clean()
        # Two owners may remove each other at the same moment: one waits here, and then the other is gone.
        take_turns([self.instance.pk])
        stored = set(Membership.objects.filter(tenant=self.instance.pk).values_list("pk", flat=True))
        kept = [form for form in self.forms if form.cleaned_data and not form.cleaned_data.get("DELETE")]
        owners = [form for form in kept if form.cleaned_data.get("role") == Role.OWNER]
        if not any(form.instance._state.adding or form.instance.pk in stored for form in owners):
            raise ValidationError("A shop needs at least one owner.")
        people = [form.instance.user_id for form in kept]
        if len(people) != len(set(people)):
            raise ValidationError("This person is in the list already.")


class MembershipInline(Scoped, TabularInline):
    model = Membership
    form: Any = MembershipForm
    formset: Any = MembershipFormSet
    tenant_path = "pk"  # the parent is the shop
    changed_by = Role.OWNER
    fields = ("person", "role")
    extra = 0
    verbose_name = "person"
    verbose_name_plural = "people"

    def allows(self, request: HttpRequest, least: Role, obj: Any) -> bool:
        # Whoever acts as a merchant must not give anybody, themselves included, a lasting place in the shop.
        return acting_of(request) is None and super().allows(request, least, obj)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_platform_staff(request) or self.has_change_permission(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_change_any_shop(request)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        formset.validate_min = not is_platform_staff(request)
        return formset
