"""How allauth's accounts become the platform's users."""

import time
from typing import Any

from allauth.account import app_settings as account_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from allauth.core import context
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse

from tenants.models import Membership
from tenants.signup.outages import MADE
from tenants.staff import works_here


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The e-mail address is the user name too, as everywhere on the platform."""

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        user.username = user.email

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:
        with transaction.atomic():  # of two at once the second ends here, and is shown what the first has done
            saved = super().save_user(request, user, form, commit=commit)
        setattr(request, MADE, saved)
        return saved

    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """A changed address is the user name as well, or nobody could sign up with the old one again."""
        confirmed: bool = super().confirm_email(request, email_address)
        user = email_address.user
        taken = type(user).objects.filter(username__iexact=user.email).exclude(pk=user.pk).exists()
        if confirmed and user.email and not taken:
            user.username = user.email
            user.save(update_fields=["username"])
        return confirmed

    def clean_email(self, email: str) -> str:
        """Raises ValidationError for a throw-away address, where the operator wants none."""
        if settings.REFUSE_DISPOSABLE_EMAIL and is_disposable(email):
            raise ValidationError("We can't send what matters to a disposable address. Use one that you keep.")
        return email

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever signed in a moment ago is not asked again: setting up a second factor would begin with a repeat."""
        required: bool = super().is_reauthentication_required(app=app)
        signed_in = (one["at"] for one in get_authentication_records(context.request, context.request.user))
        return required and not any(time.time() - at < account_settings.REAUTHENTICATION_TIMEOUT for at in signed_in)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Home for whoever has a shop or works for the platform; everybody else has one to open first."""
        user: Any = request.user
        at_home = works_here(user) or Membership.objects.filter(user=user).exists()
        return reverse("admin:index" if at_home else "signup_shop")

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        return self.get_login_redirect_url(request)


def is_disposable(email: str) -> bool:
    """Whether the address, or a domain that it lies under, is on the packaged list of throw-away providers."""
    from disposable_email_domains import blocklist  # ten thousand names: loaded only where they are wanted

    labels = email.rpartition("@")[2].lower().rstrip(".").split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))
