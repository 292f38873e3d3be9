"""The hosts of shops: on the platform's domain, and merchants' own."""

import secrets
import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models, transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.publishing.documents import KV, Document
from controlplane.publishing.models import OwnedDocument, PublishableQuerySet
from storefront.documents import domain_key
from tenants import validators
from tenants.domains.names import unicode_of
from tenants.domains.states import PROVEN_STATES, State
from tenants.domains.words import Words, words_for
from tenants.plans import Counted
from tenants.slugs import host_of

if TYPE_CHECKING:
    from tenants.models.shops import Tenant


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


class Domain(Counted):
    """A host that serves a shop, or a shop's claim to one.

    The one on the platform's own domain follows the shop's slug. Of a merchant's own hosts several shops may hold a
    claim; only one can be proven, and nothing is served under a host that is not. `next_check_at` is also the lease
    of whoever looks at it. A domain is looked at and moved on by tenants.domains.reconciling only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey("tenants.Tenant", models.CASCADE, related_name="domains")
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

    counted_as = "domains"

    @property
    def takes_room(self) -> bool:
        return self.is_own

    @classmethod
    def counted(cls) -> models.QuerySet[Any]:
        return cls._base_manager.filter(is_platform=False, retires_at=None).exclude(state=State.REMOVING)

    SHOWN: ClassVar[frozenset[str]] = frozenset(
        ("tenant", "host", "is_primary", "redirects", "state", "proven_at", "live_at")
    )
    """What a host's record depends on; the rest is the reconciler's notes."""

    @classmethod
    def documents_of(cls, rows: Sequence[Self], fields: Collection[str] | None) -> Iterable[OwnedDocument]:
        from tenants.models.landings import pages_of_tenants

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
    def follow_slug(cls, tenant: "Tenant") -> None:
        """Gives the shop its host on the platform's domain. After a slug change the old host sends visitors on for
        FORMER_HOSTS, then is kept from others. Raises IntegrityError where another shop has the host."""
        host = host_of(tenant.slug)
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
