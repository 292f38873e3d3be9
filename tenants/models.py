"""Shops, their people, hosts and landing pages."""

import secrets
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import KV, Document
from controlplane.publishing.models import OwnedDocument, Publishable, PublishableQuerySet
from storefront.documents import SECTIONS, Theme, domain_key
from storefront.documents import Section as SectionDocument
from tenants import validators
from tenants.content import clean_content
from tenants.domains.names import unicode_of
from tenants.domains.states import PROVEN_STATES, State
from tenants.domains.words import Words, words_for
from tenants.registers import Allowance, ReleasedHost

__all__ = ["Allowance", "Domain", "Landing", "Membership", "ReleasedHost", "Section", "Tenant"]


class TenantQuerySet(PublishableQuerySet["Tenant"]):
    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """The shops a user may see: those of their memberships; all of them for a superuser."""
        if getattr(user, "is_superuser", False):
            return self.all()
        return self.filter(memberships__user=user.pk).distinct() if user.pk else self.none()

    def delete(self) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            ReleasedHost.keep(Domain.objects.filter(tenant__in=list(self.values_list("pk", flat=True))))
            return super().delete()


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

    def clean(self) -> None:
        """Raises ValidationError for a slug whose host another shop has, had, or claims by whatever way."""
        host = f"{self.slug}.{settings.PLATFORM_DOMAIN}"
        taken = Domain.objects.filter(host=host).exclude(tenant=self.pk).exclude(proven_at=None).exists()
        if self.slug and (taken or ReleasedHost.blocks(host, self.pk, timezone.now())):
            raise ValidationError({"slug": "This name is taken. Choose another one."})

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            super().save(*args, **kwargs)
            Domain.follow_slug(self)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        with transaction.atomic():
            ReleasedHost.keep(Domain.objects.filter(tenant=self.pk))
            return super().delete(*args, **kwargs)

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
        return self.filter(is_platform=False, retires_at=None, next_check_at__lte=now)

    def check_now(self) -> int:
        """Makes the next look due now; a look that is under way loses its lease, and its findings."""
        now = timezone.now()
        return models.QuerySet.update(self, next_check_at=now)  # past the outbox: shows up in no document


FORMER_HOSTS = timedelta(days=90)
"""How long an address on the platform sends visitors on after the shop has taken another one."""


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
    retires_at = models.DateTimeField(null=True, editable=False)  # a former address of the shop on the platform
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
        return unicode_of(self.host)

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
        """Gives the shop its host on the platform's domain. After a slug change the old host sends visitors on for
        FORMER_HOSTS, then is kept from others. Raises IntegrityError where another shop has the host."""
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
            former, domain.host = domain.host, host
            cls.objects.filter(tenant=tenant, host=host).exclude(pk=domain.pk).delete()  # back to a name of before
            domain.save()
            now = timezone.now()
            cls.objects.create(
                tenant=tenant, host=former, retires_at=now + FORMER_HOSTS, primary_when_live=False,
                state=State.LIVE, reason="former", proven_at=now, live_at=now,
            )  # fmt: skip

    @property
    def is_own(self) -> bool:
        """A merchant's own domain, not an address on the platform."""
        return not self.is_platform and self.retires_at is None


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


def pages_of_tenants(tenant_ids: Iterable[uuid.UUID]) -> Iterable[OwnedDocument]:
    """The KV records of all hosts of these tenants."""
    hosts = Domain.objects.filter(tenant__in=set(tenant_ids)).values_list("tenant_id", "host")
    return [(tenant_id, Document(KV, domain_key(host))) for tenant_id, host in hosts]


def theme_colour(name: str) -> "models.CharField[str, str]":
    return models.CharField(max_length=7, default=getattr(Theme(), name), validators=[validators.validate_colour])


class Landing(Publishable):
    """A shop's landing page: what search engines see, its looks, its sections."""

    class Font(models.TextChoices):
        SANS = "sans", "Sans serif"
        SERIF = "serif", "Serif"
        HUMANIST = "humanist", "Humanist"
        MONO = "mono", "Monospaced"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.OneToOneField(Tenant, models.CASCADE, related_name="landing")
    seo_title = models.CharField(
        "title", max_length=120, blank=True, help_text="Up to 60 characters show in search results."
    )
    seo_description = models.CharField(
        "description", max_length=320, blank=True, help_text="Up to 160 characters show."
    )
    seo_image_url = models.CharField(
        "sharing picture", max_length=500, blank=True, validators=[validators.validate_image_url]
    )
    accent = theme_colour("accent")
    accent_dark = theme_colour("accent_dark")
    background = theme_colour("background")
    background_dark = theme_colour("background_dark")
    text = theme_colour("text")
    text_dark = theme_colour("text_dark")
    font = models.CharField(max_length=16, choices=Font, default=Font.SANS)
    radius = models.PositiveSmallIntegerField(
        "corner radius", default=8, validators=[MaxValueValidator(32)], help_text="In pixels, 0 to 32."
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = "landing page"

    def __str__(self) -> str:
        return f"Landing page of {self.tenant}"

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        return pages_of_tenants(row.tenant_id for row in rows)

    @property
    def theme(self) -> Theme:
        return Theme(
            accent=self.accent, accent_dark=self.accent_dark, background=self.background,
            background_dark=self.background_dark, text=self.text, text_dark=self.text_dark,
            font=self.font, radius=self.radius,
        )  # fmt: skip


class Section(Publishable):
    """One block of a landing page; `content` holds the fields of its kind (storefront.sections)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    landing = models.ForeignKey(Landing, models.CASCADE, related_name="sections")
    kind = models.CharField(max_length=32, choices=[(kind, cls.label) for kind, cls in SECTIONS.items()])
    position = models.PositiveIntegerField(default=0)
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
        self.clean()  # also for writers that skip full_clean(): what is stored is always valid
        super().save(*args, **kwargs)

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        tenants = Landing.objects.filter(pk__in={row.landing_id for row in rows}).values_list("tenant_id", flat=True)
        return pages_of_tenants(tenants)

    @property
    def document(self) -> SectionDocument:
        document = SectionDocument.decode({**self.content, "kind": self.kind})
        assert document is not None  # `kind` is one of SECTIONS: the field's choices and clean() say so
        return document
