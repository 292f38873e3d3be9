"""The content security policy of the account pages: stricter than the admin's, nothing is evaluated or inline."""

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from controlplane.adapters.turnstile import ORIGIN
from tenants.signup.outages import told

View = Callable[..., HttpResponse]


def directives() -> dict[str, list[str] | None]:
    """Complete: what is not named is as `default-src` says. Turnstile's origin is in it only where it is used."""
    bots = [ORIGIN] if settings.TURNSTILE_SECRET else []
    return {
        "default-src": ["'none'"],
        "script-src": ["'self'", *bots],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "frame-src": bots or ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
        "object-src": ["'none'"],
    }


def strict(view: View) -> View:
    """The view under this policy, whatever it answers; it answers even if what it needs is down."""
    served = told(view)

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = served(request, *args, **kwargs)
        setattr(response, "_csp_replace", directives())  # noqa: B010 - as django-csp's csp_replace, but asked each time
        return response

    return wrapped
