"""Shops, their people, hosts and landing pages: the draft, what is live, what was."""

import functools
import secrets
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import KV, Document
from controlplane.publishing.models import OwnedDocument, Publishable, PublishableQuerySet, take_turns
from storefront.documents import SECTIONS, Link, Seo, Theme, domain_key, draft_key
from storefront.documents import Section as SectionDocument
from tenants import validators
from tenants.content import clean_content, draft_content
from tenants.domains.states import PROVEN_STATES, State
from tenants.domains.words import Words, words_for
from tenants.page import Block, Page

Person = AbstractBaseUser | AnonymousUser | None
"""Who did something; None for the platform itself."""


class TenantQuerySet(PublishableQuerySet["Tenant"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The shops a user may see: those of their memberships; all of them for a superuser."""
        if getattr(user, "is_superuser", False):
            return self.all()
        return self.filter(memberships__user=user.pk).distinct() if user.pk else self.none()


class Tenant(Publishable):
    """A merchant's shop. Its slug is its name on the platform's domain."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        CLOSED = "closed", "Closed"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(
        max_length=40,
        unique=True,
        validators=[validators.validate_slug, validators.validate_not_reserved],
        help_text="The shop's address on this platform. Changing it changes the address.",
    )
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=16, choices=Status, default=Status.ACTIVE)
    currency = models.CharField(max_length=3, default="EUR", validators=[validators.validate_currency])
    locale = models.CharField(max_length=6, default="en", validators=[validators.validate_locale])
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", validators=[validators.validate_timezone],
        help_text="Such as Europe/Berlin: schedules are kept in it.",
    )  # fmt: skip
    realtime_cell = models.CharField(max_length=40, default="default", editable=False)
    vector_cell = models.CharField(max_length=40, default="default", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[Any] = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = "shop"
        indexes = [models.Index(fields=["status", "slug"], name="tenants_by_status")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            Domain.follow_slug(self)

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        from tenants.documents import documents_of_tenants

        everything = fields is None or any(
            field in fields for field in ("status", "currency", "realtime_cell", "vector_cell")
        )
        return documents_of_tenants([row.pk for row in rows], everything=everything)


class Membership(models.Model):
    """What a user may do in a shop."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        EDITOR = "editor", "Editor"
        VIEWER = "viewer", "Viewer"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role, default=Role.OWNER)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "tenant"], name="one_membership_per_user_and_tenant")]

    def __str__(self) -> str:
        return f"{self.user} ({self.get_role_display()})"


def new_token() -> str:
    """Each claim has its own; an old one proves nothing."""
    return secrets.token_hex(16)


class DomainQuerySet(PublishableQuerySet["Domain"]):
    def served(self) -> Self:
        """The hosts that show their shop: proven, and live at some time since."""
        return self.filter(state__in=PROVEN_STATES).exclude(proven_at=None).exclude(live_at=None)

    def due(self, now: datetime) -> Self:
        return self.filter(is_platform=False, next_check_at__lte=now)

    def check_now(self) -> int:
        """Makes the next look due now; a look that is under way loses its lease, and its findings."""
        now = timezone.now()
        return models.QuerySet.update(self, next_check_at=now)  # past the outbox: shows up in no document


class Domain(Publishable):
    """A host that serves a shop, or a shop's claim to one.

    The one on the platform's own domain follows the shop's slug. Of a merchant's own hosts several shops may hold a
    claim; only one can be proven, and nothing is served under a host that is not. `next_check_at` is also the lease
    of whoever looks at it. A domain is looked at and moved on by tenants.domains.reconciling only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="domains")
    host = models.CharField(max_length=253, validators=[validators.validate_host])
    is_primary = models.BooleanField(
        "primary", default=False, help_text="The address in links, search results and the sitemap."
    )
    is_platform = models.BooleanField(default=False, editable=False)
    redirects = models.BooleanField(
        "send visitors on",
        default=True,
        help_text="To the same page under the primary domain, unless this is the primary domain itself.",
    )
    primary_when_live = models.BooleanField(
        "make it the primary domain", default=True, help_text="As soon as it works; until then nothing changes."
    )
    state = models.CharField(max_length=16, choices=State.CHOICES, default=State.UNPROVEN, editable=False)
    reason = models.CharField(max_length=24, default="add_txt", editable=False)
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    proven_at = models.DateTimeField(null=True, editable=False)
    live_at = models.DateTimeField(null=True, editable=False)
    away_since = models.DateTimeField(null=True, editable=False)
    waiting_since = models.DateTimeField(default=timezone.now, editable=False)
    state_since = models.DateTimeField(default=timezone.now, editable=False)
    next_check_at = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    misses = models.PositiveSmallIntegerField(default=0, editable=False)
    reminders = models.PositiveSmallIntegerField(default=0, editable=False)
    hostname_id = models.CharField(max_length=64, blank=True, editable=False)
    requested_at = models.DateTimeField(null=True, editable=False)
    seen = models.JSONField(default=dict, editable=False)

    objects: ClassVar[Any] = DomainQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("tenant", condition=models.Q(is_primary=True), name="one_primary_domain"),
            models.UniqueConstraint("tenant", condition=models.Q(is_platform=True), name="one_platform_domain"),
            models.UniqueConstraint(fields=["tenant", "host"], name="one_claim_per_shop_and_host"),
            # The one rule that takeovers break on: it holds whatever two workers do at the same moment.
            models.UniqueConstraint(
                fields=["host"], condition=models.Q(proven_at__isnull=False), name="one_proven_domain_per_host"
            ),
        ]
        indexes = [
            models.Index(fields=["host"], name="domains_by_host"),
            models.Index(fields=["next_check_at"], condition=models.Q(is_platform=False), name="domains_due"),
        ]

    def __str__(self) -> str:
        return self.host

    SHOWN: ClassVar[frozenset[str]] = frozenset(
        ("tenant", "host", "is_primary", "redirects", "state", "proven_at", "live_at")
    )
    """What a host's record depends on; the rest is the reconciler's notes."""

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        if fields is not None and not cls.SHOWN.intersection(fields):
            return
        # Its own key (which may just have gone) and its siblings', whose canonical host it may be.
        yield from ((row.tenant_id, Document(KV, domain_key(row.host))) for row in rows)
        yield from pages_of_tenants({row.tenant_id for row in rows})

    @property
    def is_served(self) -> bool:
        return self.state in PROVEN_STATES and self.proven_at is not None and self.live_at is not None

    @property
    def words(self) -> Words:
        return words_for(self.reason)

    def start_again(self) -> None:
        """A claim that was given up or stopped begins anew, with a new token. Saves."""
        now = timezone.now()
        self.state, self.reason, self.token = State.UNPROVEN, "add_txt", new_token()
        self.waiting_since = self.state_since = self.next_check_at = now
        self.proven_at = self.live_at = self.away_since = None
        self.reminders = self.misses = 0
        self.seen = {}
        self.save()

    def remove(self) -> None:
        """Takes the host from the shop: at once where nothing was proven, else after the vendor has let it go."""
        with transaction.atomic():
            if self.proven_at is None and not self.hostname_id:
                self.delete()
            else:
                self.state, self.reason, self.is_primary = State.REMOVING, "removing", False
                self.state_since = self.next_check_at = timezone.now()
                self.save()
            keep_a_primary([self.tenant_id])

    @classmethod
    def follow_slug(cls, tenant: Tenant) -> None:
        """Gives the shop its host on the platform's domain, or renames that host after a slug change."""
        host = f"{tenant.slug}.{settings.PLATFORM_DOMAIN}"
        domain = cls.objects.filter(tenant=tenant, is_platform=True).first()
        if domain is None:
            now = timezone.now()
            primary = not cls.objects.filter(tenant=tenant, is_primary=True).exists()
            # On the platform's own zone there is nothing to prove and nothing to wait for.
            cls.objects.create(
                tenant=tenant, host=host, is_platform=True, is_primary=primary,
                state=State.LIVE, reason="live", proven_at=now, live_at=now,
            )  # fmt: skip
        elif domain.host != host:
            domain.host = host
            domain.save()


def keep_a_primary(tenant_ids: Collection[uuid.UUID]) -> None:
    """Makes the platform's host primary again in shops whose primary host is gone or no longer served."""
    domains = Domain.objects.filter(tenant__in=tenant_ids)
    lost = domains.filter(is_primary=True).exclude(pk__in=Domain.objects.served().values("pk"))
    if lost.exists():
        lost.update(is_primary=False)
    with_primary = domains.filter(is_primary=True).values("tenant")
    without = domains.filter(is_platform=True).exclude(tenant__in=list(with_primary.values_list("tenant", flat=True)))
    if without.exists():
        without.update(is_primary=True)


class ReleasedHost(models.Model):
    """A host that a shop gave up: until `until` no other shop gets it. Kept without the shop, which may be gone too."""

    host = models.CharField(max_length=253)
    tenant_id = models.UUIDField()
    released_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["host"], name="released_by_host")]

    def __str__(self) -> str:
        return self.host

    @classmethod
    def blocks(cls, host: str, tenant_id: uuid.UUID, now: datetime) -> bool:
        """Whether another shop than `tenant_id` gave the host up so lately that this one must wait."""
        others: models.QuerySet[ReleasedHost] = cls.objects.filter(host=host, until__gt=now)
        return others.exclude(tenant_id=tenant_id).exists()


class Allowance(models.Model):
    """How much of something the vendor allows has been taken lately, over all workers."""

    name = models.CharField(max_length=40, primary_key=True)
    taken = models.JSONField(default=list)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def take(cls, name: str, wanted: int, *, limit: int, window: timedelta, now: datetime | None = None) -> bool:
        """Takes `wanted` of the `limit` in any `window`, if that many are left."""
        at = (now or timezone.now()).timestamp()
        with transaction.atomic():
            cls.objects.get_or_create(name=name)
            row = cls.objects.select_for_update().get(name=name)
            kept = [[when, count] for when, count in row.taken if at - when < window.total_seconds()]
            fits: bool = sum(count for _, count in kept) + wanted <= limit
            row.taken = [*kept, [at, wanted]] if fits else kept
            row.save()
        return fits


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
        everything that must be put right first. A draft that is live already gets no new revision.
        """
        from tenants.checks import require_publishable

        landing = self.locked()
        if version is not None and landing.draft_version != version:
            raise ConflictError
        page = landing.page
        require_publishable(landing.tenant, page)
        if landing.live is None or landing.live.page != page:
            landing.live = Revision.freeze(landing.tenant, page, by, note, published_at=timezone.now())
            landing.save(update_fields=["live", "updated_at"])
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
    from tenants import tasks

    tasks.send(tasks.follow_publication, str(landing_id))


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
