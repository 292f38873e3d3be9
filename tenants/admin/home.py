"""The admin's front page and sidebar, by what the user may see."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from controlplane.publishing.keyset import badge, counted
from controlplane.publishing.models import StaleDocument
from tenants import switcher
from tenants.admin import flags
from tenants.charts import charts_of
from tenants.models import Appeal, Tenant
from tenants.publishing_line import address_of
from tenants.scoping import Role, is_platform_staff, may, may_moderate, shops
from tenants.todo import notices_of, recent_changes, steps_of, with_facts

STATES = {"draft": "Draft", "live": "Live", "changed": "Changed"}
PUBLISHING = {
    "published": "Everything you published is live",
    "publishing": "Publishing…",
    "failed": "Something was not published",
}
ACCOUNT_PAGES = (
    ("account_email", "E-mail address"),
    ("account_change_password", "Password"),
    ("mfa_index", "Two-factor sign-in"),
    ("mfa_list_webauthn", "Passkeys"),
    ("usersessions_list", "Sessions"),
)
MOST_CARDS = 12
"""Shops shown on the front page; the list has all of them."""


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Unfold's sidebar groups, with their badges counted; none where there is nothing to count."""
    groups = groups_of(request)
    for item in (item for group in groups for item in group["items"]):
        if (count := item.pop("count", None)) and (text := count()):
            item["badge"] = text
    return groups


def groups_of(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups with what would count their badges: whoever shows none need not count."""
    groups: list[dict[str, Any]] = [{"items": [_link("Home", "home", "index")]}]
    if may(request, Role.VIEWER):
        groups.append(
            {
                "title": "Shop",
                "items": [
                    _link("Shop", "storefront", "tenants_tenant_changelist"),
                    _link("Landing page", "web", "tenants_landing_changelist"),
                    _link("Products", "sell", "catalog_product_changelist"),
                    _link("Pictures", "photo_library", "tenants_picture_changelist"),
                    _link("Domains", "language", "tenants_domain_changelist"),
                    *(
                        [_link("History", "history", "tenants_auditentry_changelist")]
                        if may(request, Role.OWNER)
                        else []
                    ),
                ],
            }
        )
        groups.append(
            {
                "title": "Chat",
                "items": [
                    {**_link("Knowledge", "menu_book", "chat_knowledgesource_changelist"), "active": _is_knowledge},
                    {**_link("Unanswered", "help", "chat_questiongroup_changelist"),
                     "count": partial(_unanswered, request)},
                    _link("Conversations", "forum", "chat_conversation_changelist"),
                    _link("Try it", "troubleshoot", "chat_knowledgesource_try"),
                    _link("Chat settings", "tune", "chat_chatprofile_changelist"),
                ],
            }
        )  # fmt: skip
    if is_platform_staff(request):
        groups.append(
            {
                "title": "Moderation",
                "separator": True,
                "items": [
                    *(_flags() if may_moderate(request) else []),
                    {**_link("Appeals", "gavel", "tenants_appeal_changelist"), "count": _appeals},
                    _link("Closing", "delete_forever", "tenants_closingrequest_changelist"),
                    _link("Views as merchant", "visibility", "tenants_actingsession_changelist"),
                ],
            }
        )
    platform = [
        _link("Outbox", "outbox", "publishing_staledocument_changelist", "publishing.view_staledocument"),
        _link("Plans", "sell", "tenants_plan_changelist", "tenants.view_plan"),
        _link("Closed shops", "delete_sweep", "tenants_closedshop_changelist", "tenants.view_closedshop"),
        _link("Erasures", "ink_eraser", "tenants_erasure_changelist", "tenants.view_erasure"),
        _link("Users", "group", "auth_user_changelist", "auth.view_user"),
        _link("Groups", "admin_panel_settings", "auth_group_changelist", "auth.view_group"),
    ]
    user = request.user
    allowed = [item for item in platform if getattr(user, "has_perm", lambda _: False)(item.pop("needs"))]
    if allowed:
        groups.append({"title": "Platform", "separator": True, "items": allowed})
    return groups


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu under one's name: what belongs to the person, not to a shop."""
    return [{"title": title, "link": reverse(name)} for name, title in ACCOUNT_PAGES]


def _flags() -> list[dict[str, Any]]:
    return [
        {**_link("Flags", "flag", "tenants_flag_changelist"), "count": flags.open_count},
        _link("Blocked words and links", "block", "tenants_contentrule_changelist"),
    ]


def _is_knowledge(request: HttpRequest) -> bool:
    trying = reverse("admin:chat_knowledgesource_try")  # below the list, with an entry of its own
    return request.path.startswith(reverse("admin:chat_knowledgesource_changelist")) and request.path != trying


def _unanswered(request: HttpRequest) -> str:
    count: str = import_string("chat.admin.inbox.open_count")(request)  # upward, so by its path
    return count


def _appeals() -> str:
    return badge(Appeal.objects.filter(answered_at=None))


def _link(title: str, icon: str, name: str, needs: str = "") -> dict[str, Any]:
    link = {"title": title, "icon": icon, "link": reverse(f"admin:{name}")}
    return {**link, "needs": needs} if needs else link


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What `tenants/admin/home.html` shows: a card a shop for merchants, the outbox for platform staff."""
    merchant = not is_platform_staff(request)
    switcher.remember(request)
    mine = shops(request)
    if (slug := switcher.chosen(request)) and merchant:
        mine = mine.filter(slug=slug)
    wanted = with_facts(mine).prefetch_related("landing__sections").order_by("name")[: MOST_CARDS + 1]
    found = list(wanted) if merchant else []
    context["shop_cards"] = [card_of(tenant) for tenant in found[:MOST_CARDS]]
    charts = charts_of(found[:MOST_CARDS]) if merchant else {}
    for card in context["shop_cards"]:
        card["charts"] = charts[card["tenant"].pk]
    context["recent_changes"] = recent_changes(found[:MOST_CARDS]) if merchant else []
    context["more_shops"] = len(found) > MOST_CARDS
    context["title"] = "Home"
    if is_platform_staff(request):
        outbox = StaleDocument.objects
        rows = {"waiting": outbox.filter(parked_at=None), "failed": outbox.exclude(parked_at=None)}
        context["outbox"] = {name: _number(*counted(some)) for name, some in rows.items()}
        context["newest_shops"] = Tenant.objects.order_by("-pk")[:8]
    return context


def _number(count: int, more: bool) -> str:
    return f"more than {count:,}" if more else f"{count:,}"


def card_of(tenant: Any) -> dict[str, Any]:
    """A shop from `with_facts`, as its card shows it."""
    landing = getattr(tenant, "landing", None)
    page = reverse("admin:tenants_landing_change", args=[landing.pk]) if landing else None
    steps = steps_of(tenant)
    publishing = "failed" if tenant.failed else "publishing" if tenant.waiting else "published"
    done = sum(step.done for step in steps)
    return {
        "tenant": tenant,
        "state": landing.state if landing else "draft",
        "state_label": STATES[landing.state if landing else "draft"],
        "publishing": publishing,
        "publishing_label": PUBLISHING[publishing],
        "publishing_url": reverse("admin:tenants_tenant_publishing", args=[tenant.pk]),
        "shop_url": address_of(tenant),
        "steps": steps,
        "done": done,
        "complete": done == len(steps),
        "notices": notices_of(tenant),
        "links": [link for link in _card_links(tenant, page) if link["url"]],
    }


def _card_links(tenant: Tenant, page: str | None) -> list[dict[str, Any]]:
    here = f"?shop={tenant.slug}"
    return [
        {"title": "Landing page", "text": "Headline, pictures, sections", "icon": "web", "url": page},
        {"title": "Products", "text": "Prices, stock, descriptions", "icon": "sell",
         "url": _list("catalog_product_changelist", here)},
        {"title": "Chat knowledge", "text": "Questions your shop can answer", "icon": "forum",
         "url": _list("chat_knowledgesource_changelist", here)},
        {"title": "Shop settings", "text": "Name, currency, people", "icon": "storefront",
         "url": reverse("admin:tenants_tenant_change", args=[tenant.pk])},
    ]  # fmt: skip


def _list(name: str, query: str) -> str | None:
    try:
        return reverse(f"admin:{name}") + query
    except NoReverseMatch:
        return None
