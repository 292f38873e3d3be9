"""The last step of a sign-up: naming the shop. The steps before it are allauth's."""

from datetime import timedelta
from typing import Any, cast

from allauth.account.utils import has_verified_email
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from tenants.models import Tenant
from tenants.signup.addresses import free_address, problem_with
from tenants.signup.forms import ShopForm
from tenants.signup.opening import open_shop_for
from tenants.signup.starters import starters
from tenants.slugs import host_of

A_MOMENT = timedelta(minutes=1)


def person_of(request: HttpRequest) -> User:
    """Who may open a shop: whoever proved their address, and whoever the platform lets into the admin already."""
    user = cast(User, request.user)
    if not user.is_staff and not has_verified_email(user):
        raise PermissionDenied
    return user


@never_cache
@login_required(login_url="account_login")
def shop(request: HttpRequest) -> HttpResponse:
    """The form, and the opening of the shop."""
    user = person_of(request)
    form = ShopForm(request.POST or None, accept_language=request.headers.get("Accept-Language", ""))
    if request.method == "POST":
        opened = _sent_before(request, user) or (form.is_valid() and _open(request, user, form))
        if opened or (opened := _sent_before(request, user)):
            return _welcome(request, opened)
    context = {"form": form, "starters": starters(), "domain": settings.PLATFORM_DOMAIN, "step": 3}
    return render(request, "account/shop.html", context, status=422 if form.errors else 200)


def _sent_before(request: HttpRequest, user: User) -> Tenant | None:
    """The shop that this very form opened a moment ago: a second click opens no second one, nor is it refused."""
    mine = Tenant.objects.filter(memberships__user=user, created_at__gt=timezone.now() - A_MOMENT)
    found: Tenant | None = mine.filter(name=request.POST.get("name", "").strip()).first()
    return found


def _open(request: HttpRequest, user: User, form: ShopForm) -> Tenant | None:
    """The shop; None, with the form saying why, where it could not be opened."""
    if not ratelimit.consume(request, action="open_shop", user=user):
        form.add_error(None, "You opened several shops just now. Try again in an hour, or write to our support.")
        return None
    values = form.cleaned_data
    try:
        chosen = {key: values[key] for key in ("name", "slug", "currency", "locale")}
        return open_shop_for(user, starter=form.chosen, **chosen)
    except ValidationError as error:
        for field, problems in error.message_dict.items():
            form.add_error(field if field in form.fields else None, problems)
        return None


def _welcome(request: HttpRequest, opened: Tenant) -> HttpResponse:
    messages.success(request, f"{opened.name} is open at {host_of(opened.slug)}. Here is what makes it yours.")
    return redirect("admin:index")


@require_POST  # by POST, so that a page elsewhere can't use up somebody's allowance
@never_cache
def address(request: HttpRequest) -> JsonResponse:
    """Whether `slug` is free, or with `name` what is: `{"slug", "host", "problem", "suggestion"}`.

    403 without a proven account, 429 (with `problem`) beyond the allowance. Holds no promise: opening decides.
    """
    if not request.user.is_authenticated:
        raise PermissionDenied
    user = person_of(request)
    if not ratelimit.consume(request, action="check_address", user=user):
        return JsonResponse({"problem": "Too many tries. Wait a minute."}, status=429)
    name, slug = (request.POST.get(field, "")[:80].strip() for field in ("name", "slug"))
    return JsonResponse(_checked(name, slug.lower()))


def _checked(name: str, slug: str) -> dict[str, Any]:
    if not slug:
        slug = free_address(name)
        return {"slug": slug, "host": host_of(slug) if slug else "", "problem": "", "suggestion": ""}
    problem = problem_with(slug)
    suggestion = (free_address(slug) or free_address(name)) if problem else ""
    return {"slug": slug, "host": host_of(slug), "problem": problem, "suggestion": suggestion}
