"""What a merchant's front page asks about their shops: what is left to set up, what needs them, what happened."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from controlplane.publishing.models import StaleDocument
from tenants.models import AuditEntry, Domain, Landing, Revision, Suspension, Tenant
from tenants.plans import model_of, warnings_from

LOW_STOCK = 5
MOST_CHANGES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the checklist; `url` is where it is done."""

    title: str
    text: str
    url: str
    done: bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Notice:
    text: str
    url: str
    urgent: bool = False


def with_facts(shops: QuerySet[Tenant]) -> QuerySet[Tenant]:
    """The shops with what the checklist and the notices need, in one query whatever their number."""
    mine = {"tenant": OuterRef("pk")}
    products = apps.get_model("catalog", "Product")._default_manager.filter(**mine)
    turns = apps.get_model("chat", "Turn")._default_manager.filter(group=OuterRef("pk"))
    groups = apps.get_model("chat", "QuestionGroup")._default_manager.filter(**mine, state="open")
    questions = groups.filter(Exists(turns))  # as the list of them counts
    low = products.filter(status="active", stock__lte=LOW_STOCK)
    failed = StaleDocument.objects.filter(**mine).exclude(parked_at=None)
    counts = {f"count_of_{kind}": _count(model_of(kind).counted().filter(**mine)) for kind in settings.COUNTED}
    return shops.select_related("landing__live", "plan").annotate(
        **counts,
        has_product=Exists(products.filter(status="active")),
        has_domain=Exists(Domain.objects.filter(**mine, is_platform=False)),
        has_own_page=Exists(Revision.objects.filter(**mine, number__gt=1)),
        low_stock=_count(low),
        unanswered=_count(questions),
        suspended_for=Subquery(Suspension.objects.filter(**mine, lifted_at=None).values("text")[:1]),
        failed=_count(failed),
        waiting=Exists(StaleDocument.objects.filter(**mine, parked_at=None)),
    )


def _count(rows: QuerySet[Any]) -> Coalesce:
    counted = rows.order_by().values("tenant").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def steps_of(shop: Any) -> list[Step]:
    """The checklist of a shop from `with_facts`, in the order in which it is best done."""
    landing: Landing | None = getattr(shop, "landing", None)
    editor = reverse("admin:tenants_landing_change", args=[landing.pk]) if landing else ""
    here = f"?shop={shop.slug}"
    return [
        Step(
            title="Give it a logo", text="Name and logo stand at the top of every page.",
            url=f"{editor}#looks", done=bool(landing and landing.logo_url),
        ),
        Step(
            title="Add your first product", text="A title, a price and a picture are enough to begin with.",
            url=reverse("admin:catalog_product_add"), done=shop.has_product,
        ),
        Step(
            title="Make the landing page yours", text="Tell in one sentence what you sell and why it is good.",
            url=editor, done=shop.has_own_page or bool(landing and landing.draft_version),
        ),
        Step(
            title="Answer what people ask", text="Shipping, returns, care: your shop's chat answers from this.",
            url=reverse("admin:chat_knowledgesource_changelist") + here, done=shop.count_of_knowledge > 0,
        ),
        Step(
            title="Connect your own domain", text="Your shop has an address already; your own is easier to remember.",
            url=reverse("admin:tenants_domain_changelist") + here, done=shop.has_domain,
        ),
        Step(
            title="Publish", text="Until then shoppers read “coming soon”.",
            url=editor, done=bool(landing and landing.live_id),
        ),
    ]  # fmt: skip


def notices_of(shop: Any) -> list[Notice]:
    """What needs the merchant now, the urgent first; from `with_facts`."""
    landing: Landing | None = getattr(shop, "landing", None)
    editor = reverse("admin:tenants_landing_change", args=[landing.pk]) if landing else ""
    found = []
    if shop.status != Tenant.Status.ACTIVE:
        url = reverse("admin:tenants_tenant_close", args=[shop.pk]) if shop.status == Tenant.Status.CLOSED else ""
        if shop.suspended_for and shop.status == Tenant.Status.SUSPENDED:
            url = reverse("admin:tenants_tenant_suspension", args=[shop.pk])
        why = f" {shop.suspended_for}" if shop.suspended_for else ""
        text = f"This shop is {shop.get_status_display().lower()}: shoppers can't see it.{why}"
        found.append(Notice(text=text, url=url, urgent=True))
    if shop.failed:
        changes = "One change" if shop.failed == 1 else f"{shop.failed} changes"
        found.append(Notice(text=f"{changes} could not be published.", url=editor, urgent=True))
    if landing and landing.schedule_problem:
        found.append(Notice(text=landing.schedule_problem, url=editor, urgent=True))
    if landing and landing.live_id and landing.state == "changed":
        found.append(Notice(text="The landing page has changes that are not published.", url=editor))
    settings_page = reverse("admin:tenants_tenant_change", args=[shop.pk])
    uses = warnings_from(shop, [(kind, getattr(shop, f"count_of_{kind}")) for kind in settings.COUNTED])
    found += [Notice(text=use.warning, url=f"{settings_page}#plan", urgent=use.state == "full") for use in uses]
    if shop.low_stock:
        products = "One product is" if shop.low_stock == 1 else f"{shop.low_stock} products are"
        url = reverse("admin:catalog_product_changelist") + f"?shop={shop.slug}&stock=low"
        found.append(Notice(text=f"{products} nearly or wholly sold out.", url=url))
    if shop.unanswered:
        questions = "One question" if shop.unanswered == 1 else f"{shop.unanswered} questions"
        url = reverse("admin:chat_questiongroup_changelist") + f"?shop={shop.slug}"
        found.append(Notice(text=f"{questions} of shoppers had no answer.", url=url))
    return found


RECENT = ("tenants.Tenant", "tenants.Landing", "tenants.Section", "tenants.Domain", "catalog.Product",
          "chat.KnowledgeSource", "chat.ChatProfile")  # fmt: skip
"""What everybody who works in a shop may read of."""


def recent_changes(shops: Sequence[Tenant]) -> list[AuditEntry]:
    """What people did in these shops last, the newest first; what one did to one thing in a row counts as one."""
    kinds = ContentType.objects.get_for_models(*(apps.get_model(label) for label in RECENT)).values()
    entries = AuditEntry.objects.filter(tenant__in=[shop.pk for shop in shops], content_type__in=[k.pk for k in kinds])
    newest = entries.select_related("content_type").order_by("-timestamp", "-pk")[: 5 * MOST_CHANGES]
    rows: list[AuditEntry] = []
    for entry in newest:
        last = rows[-1] if rows else None
        if last is None or (last.actor_name, last.object_pk) != (entry.actor_name, entry.object_pk):
            rows.append(entry)
    return rows[:MOST_CHANGES]
