"""The way into the admin: one login for all doors, a second factor for the platform's staff, one's own sessions."""

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tenants.staff import works_here

SEEN_EVERY = 300
"""Seconds between two notes of when a session was last seen; one a request would be a write a request."""
FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
View = Callable[[HttpRequest], HttpResponse]


@never_cache
def admin_login(request: HttpRequest, extra_context: object = None) -> HttpResponse:
    """/admin/login/ leads to the accounts' login, whose limits and second factor nothing gets around."""
    user: Any = request.user
    if user.is_authenticated and not user.is_staff:
        return redirect("signup_shop")  # signed up, but the shop is yet to be opened
    target = get_next_redirect_url(request) or reverse("admin:index")
    if user.is_authenticated:
        return redirect(target)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': target})}")


class StaffTwoFactor:
    """Colleagues without a second factor get only the pages where they set one up (where STAFF_TWO_FACTOR says so)."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.STAFF_TWO_FACTOR and not is_open_to_all(request.path) and lacks_second_factor(request.user):
            if request.method != "GET" or request.path.startswith("/api/"):
                return JsonResponse({"title": "Set up two-factor authentication first", "status": 403}, status=403)
            messages.warning(request, "Working for the platform needs a second step at sign-in. Set one up to go on.")
            return HttpResponseRedirect(reverse("mfa_index"))
        return self.get_response(request)


def is_open_to_all(path: str) -> bool:
    """The account's own pages change nothing of the platform, and style sheets have no secrets."""
    return path.startswith((reverse("account_login").removesuffix("login/"), settings.STATIC_URL, "/healthz"))


def lacks_second_factor(user: Any) -> bool:
    # Recovery codes alone are none: they are for the day when the factor is lost.
    return user.is_authenticated and works_here(user) and not is_mfa_enabled(user, FACTORS)


class SeenSessions:
    """Keeps the list of one's sessions: where from, with which browser, last seen when."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated and request.session.get("seen", 0) < time.time() - SEEN_EVERY:
            request.session["seen"] = int(time.time())
            request.session.save()  # it needs its key now
            UserSession.objects.create_from_request(request)
        return self.get_response(request)


@login_required
@require_POST
@never_cache
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Signs one other session of one's own out."""
    found = UserSession.objects.filter(user=request.user, pk=pk).first()
    if found is not None and not found.is_current():
        found.end()
        messages.success(request, "That session is signed out.")
    return redirect("usersessions_list")


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps are stored encrypted: a stolen database alone makes no codes."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def get_totp_issuer(self) -> str:
        return "Storefront"

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002 - as allauth names it
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return "My passkey" if number == 1 else f"Passkey {number}"


def _cipher() -> MultiFernet:
    """From SECRET_KEY, and to read only, from the keys before it."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    hashes = (hashlib.sha256(b"second factor:" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(one)) for one in hashes])
