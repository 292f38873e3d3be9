"""When Valkey or the mail server is down: a page that says so instead of an error, and nobody half signed up."""

import functools
import logging
from collections.abc import Callable
from smtplib import SMTPException
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]
DOWN = (RedisError, SMTPException, OSError)
MADE = "_user_made"
"""On the request: the user whom this sign-up has saved, until its mail is out (set in AccountAdapter.save_user)."""


def told(view: View) -> View:
    """The view; where what it needs is down, a page (503) that says to come back, with nothing left behind."""

    @functools.wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            try:
                return view(request, *args, **kwargs)
            except IntegrityError:
                # Somebody signed up with this address a moment ago, perhaps by a second click: now the form knows.
                return view(request, *args, **kwargs)
        except DOWN as error:
            logger.exception("An account page could not be served: %s", error)
            undo(request)
            return render(request, "account/unavailable.html", status=503)

    return wrapped


def undo(request: HttpRequest) -> None:
    """Mail is sent after the user is saved, as it is slow: without the mail there is no user, nor a pending login."""
    made: User | None = getattr(request, MADE, None)
    if made is not None and made.pk and not request.user.is_authenticated:
        made.delete()
        request.session.flush()
