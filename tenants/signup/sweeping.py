"""Clears away who signed up and never confirmed, and sessions that are over."""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

KEPT = timedelta(days=7)
AT_ONCE = 500


def unconfirmed(now: datetime) -> QuerySet[User]:
    """Users who signed up over a week ago and proved no address; nobody who works, or ever worked, anywhere here."""
    addresses = EmailAddress.objects.filter(user=OuterRef("pk"))
    return User.objects.filter(
        Exists(addresses), ~Exists(addresses.filter(verified=True)), date_joined__lt=now - KEPT,
        last_login=None, is_staff=False, is_superuser=False, memberships=None, groups=None, user_permissions=None,
    )  # fmt: skip


def sweep(now: datetime | None = None) -> int:
    """Deletes them, some hundred a time; returns how many. Who confirms meanwhile is not found again and stays."""
    now = now or timezone.now()
    swept = 0
    while ids := list(unconfirmed(now).order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        unconfirmed(now).filter(pk__in=ids).delete()
        swept += len(ids)
    Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return swept
