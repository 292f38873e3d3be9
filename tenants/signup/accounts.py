"""How allauth's accounts become the platform's users."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.urls import reverse

from tenants.models import Membership
from tenants.staff import works_here


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The e-mail address is the user name too, as everywhere on the platform."""

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        user.username = user.email

    def clean_email(self, email: str) -> str:
        """Raises ValidationError for a throw-away address, where the operator wants none."""
        if settings.REFUSE_DISPOSABLE_EMAIL and is_disposable(email):
            raise ValidationError("We can't send what matters to a disposable address. Use one that you keep.")
        return email

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
