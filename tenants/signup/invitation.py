"""Where the link of an invitation leads: sign in or sign up, then accept. Looking at the page changes nothing."""

from typing import cast

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from tenants.models import Invitation


@never_cache  # mail scanners open links: only the button accepts
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    row = Invitation.objects.with_token(token)
    if row is None:
        return _page(request, None, "unknown", 404)
    user = cast(User, request.user)
    signed_in = user.is_authenticated
    if signed_in and row.state == "accepted" and row.tenant.memberships.filter(user=user).exists():
        return redirect("admin:index")
    if row.state != "open":
        return _page(request, row, row.state, 410)
    if not signed_in:
        return _page(request, row, "anonymous")
    if not EmailAddress.objects.filter(user=user, email__iexact=row.email, verified=True).exists():
        return _page(request, row, "other", 403 if request.method == "POST" else 200)
    if request.method != "POST":
        return _page(request, row, "welcome")
    if row.accept(user) is None:
        row.refresh_from_db()
        return _page(request, row, row.state, 410)
    messages.success(request, f"Welcome to {row.tenant.name}.")
    return redirect("admin:index")


def _page(request: HttpRequest, row: Invitation | None, state: str, status: int = 200) -> HttpResponse:
    context = {
        "invitation": row, "state": state, "inviter": row.inviter if row else "", "path": request.path,
        "sign_up": reverse("account_signup"), "sign_in": reverse("account_login"),
    }  # fmt: skip
    return render(request, "account/invitation.html", context, status=status)
