"""The people of a shop: owners invite by e-mail address, see who hasn't come yet, ask again or take it back."""

from typing import Any, cast

from allauth.core import ratelimit
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from controlplane.publishing.unfold import ModelAdmin
from tenants.models import Invitation, Membership, Tenant
from tenants.scoping import Role, is_platform_staff, may
from tenants.signup.letters import send_invitation

MOST_OPEN = 50
ALREADY = "{email} works in this shop already."
ENOUGH = "That were many invitations. Wait an hour before you send more."
UNSENT = "The mail to {email} could not be sent just now. Press Send again in a few minutes."


class InvitationForm(forms.Form):
    """Whom to invite, and as what."""

    email = forms.EmailField(
        label="E-mail address", max_length=150, widget=UnfoldAdminEmailInputWidget(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.EDITOR, widget=UnfoldAdminSelectWidget())

    def __init__(self, tenant: Tenant, data: Any = None) -> None:
        super().__init__(data, auto_id="invite_%s")
        self.tenant = tenant

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        if works_in(self.tenant, email):
            raise forms.ValidationError(ALREADY.format(email=email))
        return email

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.tenant.invitations.open().count() >= MOST_OPEN:
            raise forms.ValidationError(f"{MOST_OPEN} invitations are open. Take some back first.")
        return cleaned


def works_in(tenant: Tenant, email: str) -> bool:
    """Whether a member has this address; says nothing of people who are in other shops."""
    same = Q(user__email__iexact=email) | Q(user__emailaddress__email__iexact=email, user__emailaddress__verified=True)
    return Membership.objects.filter(same, tenant=tenant).exists()


class Invitations(ModelAdmin):
    """For the admin of shops: the panel below the form, and what its buttons post."""

    change_form_outer_after_template = "tenants/admin/invitations.html"

    def get_urls(self) -> list[URLPattern]:
        def url(end: str, name: str, view: Any) -> URLPattern:
            found: URLPattern = path(
                f"<path:object_id>/{end}/", self.admin_site.admin_view(view), name=f"tenants_tenant_{name}"
            )
            return found

        return [
            url("invite", "invite", self.invite_view),
            url("invitations/<uuid:invitation_id>/resend", "resend_invitation", self.resend_view),
            url("invitations/<uuid:invitation_id>/revoke", "revoke_invitation", self.revoke_view),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        tenant = kwargs.get("obj")
        if tenant is not None and (is_platform_staff(request) or may(request, Role.OWNER, tenant.pk)):
            open_ones = tenant.invitations.open().select_related("invited_by").order_by("-created_at")
            context["invitations"] = {"open": list(open_ones), "may": may(request, Role.OWNER, tenant.pk)}
            context["invitation_form"] = InvitationForm(tenant)
        return super().render_change_form(request, context, *args, **kwargs)

    def invite_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = self._own(request, object_id)
        form = InvitationForm(tenant, request.POST)
        if not form.is_valid():
            problems = [str(problem) for field in form.errors.values() for problem in field]
            return self._back(request, tenant, " ".join(problems), messages.ERROR)
        email = form.cleaned_data["email"]
        if not ratelimit.consume(request, action="invite", key=email, user=request.user):
            return self._back(request, tenant, ENOUGH, messages.ERROR)
        row, token = Invitation.objects.invite(tenant, email, form.cleaned_data["role"], request.user)
        self.log_change(request, tenant, f"Invited {row}.")
        return self._sent(request, row, token)

    def resend_view(self, request: HttpRequest, object_id: str, invitation_id: Any) -> HttpResponse:
        row = self._invitation(request, object_id, invitation_id)
        if not ratelimit.consume(request, action="invite", key=row.email, user=request.user):
            return self._back(request, row.tenant, ENOUGH, messages.ERROR)
        # Who asks again stands for it from now on: the first inviter may have left.
        row.invited_by = cast(User, request.user)
        row.save(update_fields=["invited_by"])
        self.log_change(request, row.tenant, f"Sent the invitation of {row} again.")
        return self._sent(request, row, row.renew())

    def revoke_view(self, request: HttpRequest, object_id: str, invitation_id: Any) -> HttpResponse:
        row = self._invitation(request, object_id, invitation_id)
        Invitation.objects.filter(pk=row.pk).revoke()
        self.log_change(request, row.tenant, f"Took back the invitation of {row}.")
        return self._back(request, row.tenant, f"The invitation of {row.email} is taken back.", messages.SUCCESS)

    def _own(self, request: HttpRequest, object_id: str) -> Tenant:
        """Raises Http404 for another's shop, PermissionDenied for whoever doesn't own it."""
        tenant: Any = self.get_object(request, object_id)
        if request.method != "POST" or not may(request, Role.OWNER, tenant.pk):
            raise PermissionDenied
        return tenant  # type: ignore[no-any-return]

    def _invitation(self, request: HttpRequest, object_id: str, invitation_id: Any) -> Invitation:
        tenant = self._own(request, object_id)
        row = Invitation.objects.open().filter(tenant=tenant, pk=invitation_id).select_related("tenant").first()
        if row is None:
            raise Http404
        return row

    def _sent(self, request: HttpRequest, row: Invitation, token: str) -> HttpResponse:
        # The same words whether the address has an account or not.
        if not send_invitation(row, token):
            return self._back(request, row.tenant, UNSENT.format(email=row.email), messages.WARNING)
        said = f"{row.email} is invited. The link in the mail is good for seven days."
        return self._back(request, row.tenant, said, messages.SUCCESS)

    def _back(self, request: HttpRequest, tenant: Tenant, text: str, level: int) -> HttpResponse:
        self.message_user(request, text, level)
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[tenant.pk]) + "#people")
