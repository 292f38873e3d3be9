"""A shop's landing page: the draft, what is live, what was, and who may look at the draft."""

import functools
import secrets
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import KV, Document
from controlplane.publishing.models import OwnedDocument, Publishable, take_turns
from storefront.documents import SECTIONS, Link, Seo, Theme, domain_key, draft_key
from storefront.documents import Section as SectionDocument
from tenants import validators
from tenants.content import clean_content, draft_content
from tenants.models.hosts import Domain
from tenants.models.shops import Person, Tenant
from tenants.page import Block, Page


def pages_of_tenants(tenant_ids: Iterable[uuid.UUID]) -> Iterable[OwnedDocument]:
    """The KV records of all hosts of these tenants, and of their shared drafts."""
    wanted = set(tenant_ids)
    hosts = Domain.objects.filter(tenant__in=wanted).values_list("tenant_id", "host")
    return [
        *((tenant_id, Document(KV, domain_key(host))) for tenant_id, host in hosts),
        *drafts_of_tenants(wanted),
    ]


def drafts_of_tenants(tenant_ids: Iterable[uuid.UUID]) -> Iterable[OwnedDocument]:
    """The KV records of drafts that these tenants share at the moment."""
    shares = ShareLink.objects.filter(tenant__in=set(tenant_ids), expires_at__gt=timezone.now())
    return [
        (tenant_id, Document(KV, draft_key(token))) for tenant_id, token in shares.values_list("tenant_id", "token")
    ]


def theme_colour(name: str) -> "models.CharField[str, str]":
    return models.CharField(max_length=7, default=getattr(Theme(), name), validators=[validators.validate_colour])


class ConflictError(Exception):
    """The draft is not the one that the writer saw: somebody else saved meanwhile. Nothing was written."""


class Landing(Publishable):
    """A shop's landing page. Its fields and sections are the draft; `live` is what shoppers see, if anything.

    `draft_version` grows with every save of the draft and tells a writer that somebody else was faster.
    """

    class Font(models.TextChoices):
        SANS = "sans", "Modern"
        SERIF = "serif", "Editorial"
        CLASSIC = "classic", "Classic"
        HUMANIST = "humanist", "Warm"
        MONO = "mono", "Technical"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="landing")
    seo_title = models.CharField("title", max_length=120, blank=True)
    seo_description = models.CharField("description", max_length=320, blank=True)
    seo_image_url = models.CharField(
        "sharing picture", max_length=500, blank=True, validators=[validators.validate_image_url]
    )
    noindex = models.BooleanField("hidden from search engines", default=False)
    accent = theme_colour("accent")
    accent_dark = theme_colour("accent_dark")
    background = theme_colour("background")
    background_dark = theme_colour("background_dark")
    text = theme_colour("text")
    text_dark = theme_colour("text_dark")
    font = models.CharField(max_length=16, choices=Font, default=Font.SANS)
    radius = models.PositiveSmallIntegerField("corner radius", default=8, validators=[MaxValueValidator(32)])
    logo_url = models.CharField("logo", max_length=500, blank=True, validators=[validators.validate_image_url])
    favicon_url = models.CharField("icon", max_length=500, blank=True, validators=[validators.validate_image_url])
    navigation = models.JSONField(default=list, blank=True)
    draft_version = models.PositiveIntegerField(default=0, editable=False)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    edited_at = models.DateTimeField(null=True, editable=False)
    live = models.ForeignKey("Revision", models.RESTRICT, null=True, related_name="+", editable=False)
    publish_at = models.DateTimeField(null=True, editable=False)
    unpublish_at = models.DateTimeField(null=True, editable=False)
    scheduled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    schedule_problem = models.TextField(blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "landing page"

    def __str__(self) -> str:
        return f"Landing page of {self.tenant}"

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        """An edit shows on shared drafts only; what is live changes with `live`."""
        tenants = [row.tenant_id for row in rows]
        if fields is None or "live" in fields or "live_id" in fields:
            return pages_of_tenants(tenants)
        return drafts_of_tenants(tenants)

    @property
    def theme(self) -> Theme:
        return Theme(
            accent=self.accent, accent_dark=self.accent_dark, background=self.background,
            background_dark=self.background_dark, text=self.text, text_dark=self.text_dark,
            font=self.font, radius=self.radius, logo_url=self.logo_url, favicon_url=self.favicon_url,
        )  # fmt: skip

    @property
    def page(self) -> Page:
        """The draft."""
        return Page(
            seo=Seo(
                title=self.seo_title, description=self.seo_description, image_url=self.seo_image_url,
                noindex=self.noindex,
            ),
            theme=self.theme,
            navigation=tuple(Link(label=link["label"], url=link["url"]) for link in self.navigation),
            blocks=tuple(row.block for row in self.sections.all()),
        )  # fmt: skip

    @property
    def state(self) -> str:
        """`draft` (shoppers see no page), `live`, or `changed` (the draft differs from what is live)."""
        if self.live is None:
            return "draft"
        return "live" if self.live.page == self.page else "changed"

    def locked(self) -> "Landing":
        """This page as it is stored now, locked for the transaction; the shop first, as every writer does."""
        take_turns([self.tenant_id])
        return Landing.objects.select_for_update(of=("self",)).select_related("tenant").get(pk=self.pk)

    @transaction.atomic
    def save_draft(self, page: Page, by: Person, version: int) -> int:
        """Stores `page` as the draft that follows `version`. Returns the new version.

        Raises ConflictError if the draft has moved on; then nothing was written.
        """
        landing = self.locked()
        if landing.draft_version != version:
            raise ConflictError
        landing._write(page, by)
        return landing.draft_version

    def _write(self, page: Page, by: Person) -> None:
        self.seo_title, self.seo_description = page.seo.title, page.seo.description
        self.seo_image_url, self.noindex = page.seo.image_url, page.seo.noindex
        for name in Theme.__dataclass_fields__:
            setattr(self, name, getattr(page.theme, name))
        self.navigation = [{"label": link.label, "url": link.url} for link in page.navigation]
        self.draft_version += 1
        self.edited_by_id, self.edited_at = getattr(by, "pk", None), timezone.now()
        self.save()
        Section.replace(self, page.blocks)

    @transaction.atomic
    def publish(self, by: Person, note: str = "", version: int | None = None) -> "Revision":
        """Makes the draft live as a new revision, and marks the page's documents stale with it.

        `version` is the draft that the publisher saw: ConflictError if it has moved on. Raises ValidationError with
        everything that must be put right first, or for a shop that is off the web. A draft that is live already
        gets no new revision.
        """
        from tenants.checks import require_publishable
        from tenants.flags.checking import flag_page

        landing = self.locked()
        if version is not None and landing.draft_version != version:
            raise ConflictError
        if landing.tenant.status != Tenant.Status.ACTIVE:  # so that it comes back exactly as it went
            raise ValidationError(
                f"This shop is {landing.tenant.get_status_display().lower()}. Your draft is kept; you can publish it "
                "when the shop is on the web again."
            )
        page = landing.page
        require_publishable(landing.tenant, page)
        if landing.live is None or landing.live.page != page:
            landing.live = Revision.freeze(landing.tenant, page, by, note, published_at=timezone.now())
            landing.save(update_fields=["live", "updated_at"])
            flag_page(landing.tenant, page)
            transaction.on_commit(functools.partial(follow, landing.pk))
        self.live = landing.live
        assert landing.live is not None
        return landing.live

    @transaction.atomic
    def unpublish(self, by: Person) -> None:
        """Takes the page off the web: shoppers see "coming soon"; products stay. The draft is kept."""
        landing = self.locked()
        if landing.live is not None:
            Revision.objects.filter(pk=landing.live.pk).update(
                unpublished_at=timezone.now(), unpublished_by=getattr(by, "pk", None)
            )
        landing.live = self.live = None
        landing.save(update_fields=["live", "updated_at"])

    @transaction.atomic
    def restore(self, revision: "Revision", by: Person, *, publish: bool) -> "Revision | None":
        """Brings an old revision back as the draft and, with `publish`, live as a new revision.

        A draft with changes of its own is kept as a revision first. Raises ValidationError as `publish` does.
        """
        landing = self.locked()
        draft = landing.page
        if draft != revision.page:
            if landing.live is None or landing.live.page != draft:
                Revision.freeze(landing.tenant, draft, by, f"Draft kept when revision {revision.number} was restored")
            landing._write(revision.page, by)
        if not publish:
            return None
        return landing.publish(by, note=f"Restored revision {revision.number}")

    @property
    def last_published(self) -> "Revision | None":
        """What was live last; it may be live no more."""
        return Revision.objects.filter(tenant=self.tenant_id).exclude(published_at=None).order_by("-number").first()


def follow(landing_id: uuid.UUID) -> None:
    """Has the workers watch the page's way to the edge; without a broker the editor's own questions do."""
    from controlplane.publishing.tasks import send
    from tenants.tasks import follow_publication

    send(follow_publication, str(landing_id))


class Section(Publishable):
    """One block of the draft of a landing page; `content` holds the fields of its kind (storefront.sections).

    A draft may be unfinished: a save keeps what was typed, sanitised; `clean()` says what must be put right.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    landing = models.ForeignKey(Landing, models.CASCADE, related_name="sections")
    kind = models.CharField(max_length=32, choices=[(kind, cls.label) for kind, cls in SECTIONS.items()])
    position = models.PositiveIntegerField(default=0)
    hidden = models.BooleanField(default=False)
    content = models.JSONField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["position", "id"]

    def __str__(self) -> str:
        words = self.content.get("heading") or self.content.get("text") or "" if isinstance(self.content, dict) else ""
        return f"{self.get_kind_display()}: {words[:60]}" if words else str(self.get_kind_display())

    def clean(self) -> None:
        """Raises ValidationError naming the field that does not fit; leaves `content` clean and sanitised."""
        self.content = clean_content(self.kind, self.content)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.content = draft_content(self.kind, self.content)
        super().save(*args, **kwargs)

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        tenants = Landing.objects.filter(pk__in={row.landing_id for row in rows}).values_list("tenant_id", flat=True)
        return drafts_of_tenants(tenants)

    @classmethod
    def replace(cls, landing: Landing, blocks: Sequence[Block]) -> None:
        """Makes the page's rows equal `blocks`; rows that keep their place and content are not written."""
        rows = {str(row.pk): row for row in landing.sections.all()}
        wanted = {block.id for block in blocks}
        cls.objects.filter(pk__in=[row.pk for id_, row in rows.items() if id_ not in wanted]).delete()
        taken = {str(pk) for pk in cls.objects.filter(pk__in=wanted - set(rows)).values_list("pk", flat=True)}
        for position, block in enumerate(blocks):
            row = rows.get(block.id)
            if row is None:
                # An id of another page's section, forged or copied, names a new row here.
                row = cls(landing=landing, **({} if block.id in taken else {"pk": uuid.UUID(block.id)}))
            elif (row.position, row.block) == (position, block):
                continue
            row.kind, row.position, row.hidden, row.content = block.section.kind, position, block.hidden, block.content
            row.save()

    @property
    def document(self) -> SectionDocument:
        document = SectionDocument.decode({**self.content, "kind": self.kind})
        assert document is not None  # `kind` is one of SECTIONS: the field's choices and clean() say so
        return document

    @property
    def block(self) -> Block:
        return Block(id=str(self.pk), section=self.document, hidden=self.hidden)


class Revision(models.Model):
    """A landing page as it was at one moment: frozen, numbered per shop. `content` is a Page's JSON.

    `published_at` is empty for a draft that was only kept. `stored_at` and `seen_at` say when KV had the page and
    when the edge was seen to serve it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    note = models.CharField(max_length=200, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    published_at = models.DateTimeField(null=True)
    stored_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    unpublished_at = models.DateTimeField(null=True)
    unpublished_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["tenant", "number"], name="one_revision_per_number")]

    def __str__(self) -> str:
        return f"Revision {self.number} of {self.tenant}"

    @classmethod
    def freeze(cls, tenant: Tenant, page: Page, by: Person, note: str, published_at: datetime | None = None) -> Self:
        """Within the transaction that holds the page's lock: it makes the numbers follow each other."""
        last = cls.objects.filter(tenant=tenant).aggregate(last=models.Max("number"))["last"] or 0
        return cls.objects.create(
            tenant=tenant, number=last + 1, content=page.to_json(), note=note[:200],
            author_id=getattr(by, "pk", None), published_at=published_at,
        )  # fmt: skip

    @property
    def page(self) -> Page:
        return Page.from_json(self.content)


def new_share_token() -> str:
    """256 random bits: who guesses them may as well have been told."""
    return secrets.token_urlsafe(32)


def next_week() -> datetime:
    return timezone.now() + timedelta(days=7)


class ShareLink(Publishable):
    """Shows a shop's draft at the edge to whoever has the link, until it ends or is taken back."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="share_links")
    token = models.CharField(max_length=64, unique=True, default=new_share_token)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=next_week)

    def __str__(self) -> str:
        return f"Shared draft of {self.tenant} until {self.expires_at:%Y-%m-%d %H:%M}"

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        return [(row.tenant_id, Document(KV, draft_key(row.token))) for row in rows]
