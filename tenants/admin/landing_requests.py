"""The requests of the landing editor's scripts: JSON in, JSON out, each for one landing page."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse

from controlplane.publishing.unfold import ModelAdmin
from tenants.diffs import changes
from tenants.editing import page_sent, pictures_of, preview_of, products_found
from tenants.models import ConflictError, Landing, Revision
from tenants.page import Page
from tenants.publishing_line import address_of

View = Callable[[Any, HttpRequest, str], HttpResponse]


def posted(view: View) -> View:
    """POST only; a body that is no page becomes 400 with a sentence."""

    @wraps(view)
    def checked(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            return view(self, request, object_id)
        except ValueError as error:
            return JsonResponse({"message": str(error)}, status=400)

    return checked


class LandingRequests(ModelAdmin):
    """Answers the editor. Whoever may look may preview; whoever may change may save and publish."""

    requests = ("draft", "keep", "preview", "publish", "unpublish", "products", "pictures")

    def landing(self, request: HttpRequest, object_id: str, *, change: bool = False) -> Landing:
        raise NotImplementedError

    @posted
    def preview_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """How the form's page would look; nothing is written."""
        landing = self.landing(request, object_id)
        return JsonResponse(self.preview(landing, page_sent(request)[0]))

    def preview(self, landing: Landing, page: Page) -> dict[str, Any]:
        return preview_of(landing.tenant, page, address_of(landing.tenant).removesuffix("/"))

    @posted
    def draft_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Saves the draft. 409 with the other's page where somebody was faster; nothing is written then."""
        landing = self.landing(request, object_id, change=True)
        page, version = page_sent(request)
        try:
            new = landing.save_draft(page, request.user, version)
        except ConflictError:
            return self.conflict(landing, page)
        return JsonResponse({"version": new, "state": self.fresh(landing).state})

    def fresh(self, landing: Landing) -> Landing:
        return Landing.objects.select_related("tenant", "live", "edited_by").get(pk=landing.pk)

    def conflict(self, landing: Landing, mine: Page) -> JsonResponse:
        """Both versions, and what taking the other's would change."""
        stored = self.fresh(landing)
        theirs = stored.page
        return JsonResponse(
            {
                "version": stored.draft_version,
                "page": theirs.to_json(),
                "by": name_of(stored.edited_by),
                "at": stored.edited_at and stored.edited_at.isoformat(),
                "changes": [[change.where, change.what, list(change.pieces)] for change in changes(mine, theirs)],
            },
            status=409,
        )

    @posted
    def keep_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Keeps a page that lost a conflict as a revision that was never live."""
        landing = self.landing(request, object_id, change=True)
        page, _ = page_sent(request)
        with transaction.atomic():
            locked = landing.locked()
            kept = Revision.freeze(locked.tenant, page, request.user, "Kept when two people edited at once")
        return JsonResponse({"number": kept.number})

    @posted
    def publish_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Saves the form's page and makes it live. 409 as `draft`, 422 with every problem."""
        landing = self.landing(request, object_id, change=True)
        page, version = page_sent(request)
        try:
            version = landing.save_draft(page, request.user, version)  # kept, even if it can't go live yet
            revision = landing.publish(request.user, version=version)
        except ConflictError:
            return self.conflict(landing, page)
        except ValidationError as error:
            return JsonResponse({"messages": error.messages, "version": version}, status=422)
        self.log_change(request, landing, f"Published revision {revision.number}.")
        return JsonResponse({"version": version, "state": "live", "number": revision.number})

    @posted
    def unpublish_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        landing = self.landing(request, object_id, change=True)
        landing.unpublish(request.user)
        self.log_change(request, landing, "Took the page off the web.")
        return JsonResponse({"state": "draft"})

    def products_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        landing = self.landing(request, object_id)
        query, ids = request.GET.get("q", "").strip()[:80], request.GET.get("ids", "")
        found = products_found(landing.tenant, query, ids.split(",") if ids else [])
        return JsonResponse({"products": found})

    def pictures_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        landing = self.landing(request, object_id)
        return JsonResponse({"pictures": pictures_of(landing.tenant, landing.page)})


def name_of(user: AbstractBaseUser | None) -> str:
    if user is None:
        return "Somebody"
    return str(getattr(user, "get_full_name", str)() or user)
