"""What stands above every page of the admin: whom one acts as, and which of one's shops is off the web and why."""

from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from tenants.models import ActingSession, Suspension, Tenant
from tenants.moderation import acting
from tenants.scoping import is_platform_staff, roles

MOST = 3


def banners_of(context: Any) -> dict[str, Any]:
    request: HttpRequest | None = context.get("request")
    user = getattr(request, "user", None)
    if request is None or not getattr(user, "is_staff", False):
        return {}
    running = acting.acting_of(request)
    may_write = running is not None and running.mode == ActingSession.Mode.READ and ActingSession.allows(
        acting.real_user(request), ActingSession.Mode.WRITE
    )  # fmt: skip
    return {
        "acting": running,
        "may_write": may_write,
        "suspended": [] if is_platform_staff(request) else list(suspended(request, context.get("original"))[:MOST]),
        "csrf_token": context.get("csrf_token"),
    }


def suspended(request: HttpRequest, shown: Any) -> QuerySet[Tenant]:
    """The user's shops that moderation took off the web; where the page is about one shop, that one only."""
    ids = set(roles(request))
    owner = shown.pk if isinstance(shown, Tenant) else getattr(shown, "tenant_id", None)
    if owner is not None:
        ids &= {owner}
    why = Suspension.objects.filter(tenant=OuterRef("pk"), lifted_at=None)
    rows: QuerySet[Tenant] = Tenant.objects.filter(pk__in=ids, status=Tenant.Status.SUSPENDED)
    return rows.annotate(why=Subquery(why.values("text")[:1])).order_by("name")
