"""Pages for moderators only: for everybody else they are not there."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern

from controlplane.publishing.unfold import ModelAdmin, OrNotFound
from tenants.scoping import may_moderate

View = Callable[..., HttpResponseBase]


class ModeratorsOnly(OrNotFound, ModelAdmin):
    """Every address of this admin answers 404 to whoever may not moderate; who isn't logged in is asked to."""

    def get_urls(self) -> list[URLPattern]:
        urls = super().get_urls()
        for url in urls:
            url.callback = _guarded(url.callback)
        return urls

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request)


def _guarded(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not may_moderate(request):
            raise Http404
        return view(request, *args, **kwargs)

    return guarded
