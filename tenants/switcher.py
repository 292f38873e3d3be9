"""Which of their shops somebody with several works in: `?shop=` in the address, remembered for the session.

It narrows lists down and fills in the shop of a new object, where the form shows it. What a form saves, and where, is
in the form alone.
"""

from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse

from tenants.models import Tenant
from tenants.scoping import TenantFilter, is_platform_staff, roles, shops

PARAMETER = TenantFilter.parameter_name
MOST = 50


def has_choice(request: HttpRequest) -> bool:
    return not is_platform_staff(request) and len(roles(request)) > 1


def chosen(request: HttpRequest) -> str:
    """The slug of the shop, or "" for all of them; the address goes before what is remembered."""
    if PARAMETER in request.GET:
        return request.GET[PARAMETER]
    return str(request.session.get(PARAMETER, "")) if has_choice(request) else ""


def follow(request: HttpRequest, list_filters: Any) -> HttpResponseRedirect | None:
    """On the way to a list: remembers the shop in its address, or leads to the address of the remembered one."""
    if request.method != "GET" or "_popup" in request.GET or not has_choice(request):
        return None
    if PARAMETER in request.GET:
        slug = request.GET[PARAMETER]
        if slug != request.session.get(PARAMETER, "") and (not slug or _mine(request, slug)):
            request.session[PARAMETER] = slug
        return None
    slug = chosen(request)
    if not slug or not any(isinstance(one, type) and issubclass(one, TenantFilter) for one in list_filters):
        return None
    if not _mine(request, slug):  # renamed, or no longer theirs
        del request.session[PARAMETER]
        return None
    query = request.GET.copy()
    query[PARAMETER] = slug
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}")


def initial(request: HttpRequest) -> dict[str, Any]:
    """The shop that a form for something new begins with."""
    slug = chosen(request)
    pk = shops(request).filter(slug=slug).values_list("pk", flat=True).first() if slug else None
    return {"tenant": pk} if pk else {}


def _mine(request: HttpRequest, slug: str) -> bool:
    return shops(request).filter(slug=slug).exists()


def context(request: HttpRequest) -> dict[str, Any]:
    """For Unfold's templates, on every page: the shops to switch between and the current one."""
    if not getattr(request.user, "is_staff", False) or not has_choice(request):
        return {}
    slug = chosen(request)
    found = list(Tenant.objects.filter(pk__in=list(roles(request))).order_by("name")[:MOST])
    current = next((shop for shop in found if shop.slug == slug), None)
    here = request.path if request.path.endswith("/") and _is_list(request) else reverse("admin:index")
    links = [
        {"title": shop.name, "url": f"{here}?{PARAMETER}={shop.slug}", "current": shop == current} for shop in found
    ]
    every = {"title": "All my shops", "url": f"{here}?{PARAMETER}=", "current": current is None}
    return {"shop_switcher": {"current": current.name if current else "All my shops", "links": [*links, every]}}


def _is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return bool(match and (match.url_name or "").endswith("_changelist"))


def remember(request: HttpRequest) -> None:
    """For pages that are no list, such as home: what their address says is remembered too."""
    follow(request, ())
