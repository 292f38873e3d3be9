"""The requests of the landing editor's scripts: JSON in, JSON out, each for one landing page."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone

from controlplane.publishing.unfold import ModelAdmin
from tenants.diffs import changes
from tenants.editing import is_uuid, json_of, page_sent, preview_of, products_found
from tenants.flags.checking import flag_stripped
from tenants.models import ConflictError, Landing, Revision, ShareLink
from tenants.page import Page
from tenants.publishing_line import address_of
from tenants.receipts import receipt_of, waiting_of
from tenants.schedules import moment_of, schedule

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

    requests = ("draft", "keep", "preview", "publish", "unpublish", "products", "receipt", "retry", "share",
                "unshare", "schedule")  # fmt: skip

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
        flag_stripped(landing.tenant, json_of(request)["page"])
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
            flag_stripped(landing.tenant, json_of(request)["page"])
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

    def receipt_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """How far what is live has got: `{"receipt": null | {…}}`."""
        landing = self.fresh(self.landing(request, object_id))
        receipt = receipt_of(landing)
        return JsonResponse({"receipt": receipt and receipt.to_json()})

    @posted
    def retry_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        landing = self.landing(request, object_id, change=True)
        return JsonResponse({"retried": waiting_of(landing).retry()})

    @posted
    def share_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """A new link to the draft, for `days` (1 to 30; 0: only tells which links there are)."""
        landing = self.landing(request, object_id, change=True)
        days = json_of(request).get("days")
        if days not in (0, 1, 7, 30):
            raise ValueError("A link lasts 1, 7 or 30 days.")
        if days:
            ends = timezone.now() + timedelta(days=days)
            ShareLink.objects.create(tenant=landing.tenant, created_by_id=request.user.pk, expires_at=ends)
            self.log_change(request, landing, f"Shared the draft for {days} days.")
        return self.links(landing)

    @posted
    def unshare_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        landing = self.landing(request, object_id, change=True)
        ids = json_of(request).get("id")
        if not isinstance(ids, str) or not is_uuid(ids):
            raise ValueError("There is no such link.")
        ShareLink.objects.filter(tenant=landing.tenant_id, pk=ids).delete()
        return self.links(landing)

    def links(self, landing: Landing) -> JsonResponse:
        base = f"{address_of(landing.tenant)}preview/"
        rows = ShareLink.objects.filter(tenant=landing.tenant_id, expires_at__gt=timezone.now()).order_by("expires_at")
        links = [{"id": str(row.pk), "url": base + row.token, "ends": row.expires_at.isoformat()} for row in rows]
        return JsonResponse({"links": links})

    @posted
    def schedule_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Sets when the draft goes live and offline, as local times of the shop; empty: not at all."""
        landing = self.landing(request, object_id, change=True)
        sent, zone = json_of(request), landing.tenant.timezone
        publish_at, unpublish_at = (moment_of(str(sent.get(name) or ""), zone) for name in ("publish", "unpublish"))
        schedule(landing, request.user, publish_at, unpublish_at)
        self.log_change(request, landing, "Changed the schedule.")
        return JsonResponse({"publish": local(publish_at, zone), "unpublish": local(unpublish_at, zone)})

    def products_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        landing = self.landing(request, object_id)
        query, ids = request.GET.get("q", "").strip()[:80], request.GET.get("ids", "")
        found = products_found(landing.tenant, query, ids.split(",") if ids else [])
        return JsonResponse({"products": found})


def local(moment: datetime | None, zone: str) -> str:
    """As an `<input type="datetime-local">` holds it."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") if moment else ""


def name_of(user: AbstractBaseUser | None) -> str:
    if user is None:
        return "Somebody"
    return str(getattr(user, "get_full_name", str)() or user)
