"""Invitations into a shop: by e-mail, for a week, for one role; the link's secret is stored only as a hash."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from uuid_utils.compat import uuid7

from controlplane.publishing.models import take_turns
from tenants.models.shops import RANK, Membership, Tenant, let_in

LASTS = timedelta(days=7)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        """Neither accepted nor taken back; they may be too old."""
        return self.filter(accepted_at=None, revoked_at=None)

    def with_token(self, token: str) -> "Invitation | None":
        found = self.filter(token_hash=hash_of(token)).select_related("tenant", "invited_by")
        return found.first()

    def revoke(self) -> int:
        return self.open().update(revoked_at=timezone.now())

    @transaction.atomic
    def invite(self, tenant: Tenant, email: str, role: str, by: Any) -> tuple["Invitation", str]:
        """A new invitation and its secret; one that this address has already is taken back, with its link."""
        take_turns([tenant.pk])  # two owners may invite the same person at once
        self.filter(tenant=tenant, email=email.lower()).revoke()
        token = secrets.token_urlsafe(32)
        row = self.create(tenant=tenant, email=email.lower(), role=role, invited_by=by, token_hash=hash_of(token))
        return row, token


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def in_a_week() -> datetime:
    return timezone.now() + LASTS


class Invitation(models.Model):
    """A role in a shop for whoever proves this e-mail address and follows the link in time."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=150)
    role = models.CharField(max_length=16, choices=Membership.Role, default=Membership.Role.EDITOR)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="invitations_sent"
    )  # fmt: skip
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=in_a_week)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=Q(accepted_at=None, revoked_at=None),
                name="one_open_invitation_per_address",
            )
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.get_role_display()})"

    @property
    def state(self) -> str:
        """`open`, `expired`, `accepted` or `revoked`. Without its inviter nobody stands for it: it is revoked too."""
        if self.accepted_at:
            return "accepted"
        if self.revoked_at or self.invited_by_id is None:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"

    @property
    def inviter(self) -> str:
        """Who invites, as a mail and a page name them."""
        return (self.invited_by.get_full_name() or self.invited_by.email) if self.invited_by else ""

    def renew(self) -> str:
        """A new link for another week; the old one is worth nothing from now on."""
        token = secrets.token_urlsafe(32)
        self.token_hash, self.expires_at = hash_of(token), in_a_week()
        self.save(update_fields=["token_hash", "expires_at"])
        return token

    @transaction.atomic
    def accept(self, user: User) -> Membership | None:
        """Makes the user a member, never of less than they are; None where somebody else was faster."""
        taken = Invitation.objects.open().filter(pk=self.pk, expires_at__gt=timezone.now())
        if self.state != "open" or not taken.update(accepted_at=timezone.now()):
            return None
        let_in(user)
        held, new = Membership.objects.get_or_create(user=user, tenant=self.tenant, defaults={"role": self.role})
        if not new and RANK[Membership.Role(held.role)] < RANK[Membership.Role(self.role)]:
            held.role = self.role
            held.save(update_fields=["role"])
        return held
