"""Acting as a merchant: while it lasts, a colleague of the platform is nobody but a member of that one shop.

The request's user keeps the colleague's id, so that every log names the real person, but holds no power: whatever asks
for a permission or for shops gets the answer for that shop. Looking only refuses every request that could write.
"""

from collections.abc import Callable
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_out
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from tenants.models import Tenant
from tenants.models.acting import ActingSession

KEY = "acting"
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")

ALWAYS = {"admin:tenants_tenant_acting_stop", "admin:tenants_tenant_acting_write", "admin:logout", "account_logout"}
WRITES_NOTHING = {"admin:tenants_landing_preview"}
"""Posts that answer only: the editor shows no page without it."""

NOT_FOR_OTHERS = {"admin:password_change", "admin:password_change_done"} | {
    f"admin:tenants_tenant_{name}"
    for name in ("appeal", "close", "restore", "export", "download", "invite", "resend_invitation", "revoke_invitation")
}
"""One's own account, and what only the merchant may do: speak, go, come back, take the data along, let people in."""


def acting_of(request: HttpRequest) -> ActingSession | None:
    found: ActingSession | None = getattr(request, "acting", None)
    return found


def real_user(request: HttpRequest) -> User:
    """The colleague with their own permissions, whoever they act as."""
    found: Any = getattr(request, "acting_staff", request.user)
    return cast(User, found)


def start(request: HttpRequest, tenant: Tenant, mode: str, reason: str = "") -> ActingSession:
    """Raises what ActingSession.start raises. A session that runs is ended by it."""
    began = ActingSession.start(real_user(request), tenant, mode, reason)
    before = acting_of(request)
    if before is not None:
        before.end(ActingSession.End.SWITCHED)
    request.session[KEY] = str(began.pk)
    request.session.cycle_key()  # what the cookie opens has changed
    return began


def stop(request: HttpRequest, how: str) -> None:
    ActingSession.end_of(request.session.pop(KEY, None), how)


def end_with_the_login(sender: object, request: HttpRequest | None, **kwargs: Any) -> None:
    if request is not None and KEY in getattr(request, "session", {}):
        stop(request, ActingSession.End.LOGGED_OUT)


user_logged_out.connect(end_with_the_login)


class ActingMiddleware:
    """Sets `request.acting` and takes the user's power away; ends what is over, and refuses writes to who may look."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a session's cookie there is nothing to read, and no reason to vary by it.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and KEY in request.session:
            ended = self._begin(request)
            if ended is not None:
                return ended
        return self.get_response(request)

    def _begin(self, request: HttpRequest) -> HttpResponse | None:
        rows = ActingSession.objects.select_related("tenant")
        row = rows.filter(pk=request.session[KEY], staff=request.user.pk, ended_at=None).first()
        if row is None or row.tenant is None or not isinstance(request.user, User):
            return self._over(request, ActingSession.End.REFUSED, None)
        if row.ends_at <= timezone.now():
            return self._over(request, ActingSession.End.TIMED_OUT, row)
        if not ActingSession.allows(request.user, row.mode):
            return self._over(request, ActingSession.End.REFUSED, row)
        request.acting_staff = request.user  # type: ignore[attr-defined]
        request.acting = row  # type: ignore[attr-defined]
        request.user = powerless(request.user, row)
        return None

    def _over(self, request: HttpRequest, how: str, row: ActingSession | None) -> HttpResponse:
        """Never goes on as the colleague: a form that the merchant's page sent must not be saved with their power."""
        stop(request, how)
        why = "The half hour is over" if how == ActingSession.End.TIMED_OUT else "You may not do that any more"
        text = f"{why}: you no longer see a shop as its merchant. What you just sent was not saved."
        if request.method not in SAFE or request.path.startswith("/api/"):
            return refusal(request, text)
        messages.info(request, text.partition(". ")[0] + ".")
        where = [row.tenant_id] if row and row.tenant_id else None
        return HttpResponseRedirect(
            reverse("admin:tenants_tenant_change", args=where) if where else reverse("admin:index")
        )

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        acting, match = acting_of(request), request.resolver_match
        if acting is None or match is None or match.view_name in ALWAYS:
            return None
        if match.view_name in NOT_FOR_OTHERS or match.route.startswith("accounts/"):
            return refusal(request, f"Stop viewing {acting.tenant} as its merchant first.")
        harmless = request.method in SAFE or match.view_name in WRITES_NOTHING
        if acting.mode == ActingSession.Mode.READ and not harmless:
            return refusal(request, "You are only looking: nothing was changed.")
        return None


def powerless(user: User, row: ActingSession) -> User:
    """The same person without any permission of their own; `visible_to` and `roles` know the one shop instead."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionDenied  # the flag below must never reach the database

    shown = User(**{field.attname: getattr(user, field.attname) for field in User._meta.concrete_fields})
    shown._state.adding, shown._state.db = False, user._state.db
    shown.is_superuser, shown.is_staff = False, True
    for cache in ("_perm_cache", "_user_perm_cache", "_group_perm_cache"):
        setattr(shown, cache, set())
    for name, value in {"save": refuse, "backend": getattr(user, "backend", ""), "acting_in": row.tenant_id}.items():
        setattr(shown, name, value)
    return shown


def refusal(request: HttpRequest, text: str) -> HttpResponse:
    if request.path.startswith("/api/") or request.content_type == "application/json":
        body = {"type": "about:blank", "title": text, "status": 403, "message": text}
        return JsonResponse(body, status=403, content_type="application/problem+json")
    from django.contrib import admin

    context = {**admin.site.each_context(request), "title": "Not now", "text": text}
    return TemplateResponse(request, "tenants/admin/moderation/refused.html", context, status=403).render()
