from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from controlplane import media
from controlplane.api import api
from tenants.admin.search import search

handler400 = "controlplane.uploads.refused"


def healthz(request: HttpRequest) -> HttpResponse:
    """Alive: answers without touching a store, so that a store's outage does not restart the web process."""
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", healthz),
    path("api/", api.urls),
    path("admin/search/", search),  # in place of Unfold's, under its address
    path("admin/", admin.site.urls),
    path("accounts/", include("tenants.signup.urls")),
    *media.urlpatterns,
]
