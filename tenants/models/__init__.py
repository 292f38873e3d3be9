"""Shops, their people and hosts; their landing pages with drafts and revisions."""

from tenants.audit.entries import AuditEntry
from tenants.models.acting import ActingSession
from tenants.models.closing import ClosedShop, Erasure, Export, hashed
from tenants.models.flags import Flag, FlagNote, Report, TakenError
from tenants.models.hosts import Domain, keep_a_primary, new_token
from tenants.models.invitations import Invitation
from tenants.models.landings import (
    ConflictError,
    Landing,
    Revision,
    Section,
    ShareLink,
    drafts_of_tenants,
    new_share_token,
    next_week,
    pages_of_tenants,
)
from tenants.models.moderation import Appeal, ClosingRequest, Suspension
from tenants.models.pictures import Picture
from tenants.models.plans import Plan
from tenants.models.rules import ContentRule
from tenants.models.shops import RANK, Membership, Person, Tenant, TenantQuerySet, let_in, owners_addresses
from tenants.registers import Allowance, ReleasedHost

__all__ = [
    "RANK",
    "ActingSession",
    "Allowance",
    "Appeal",
    "AuditEntry",
    "ClosedShop",
    "ClosingRequest",
    "ConflictError",
    "ContentRule",
    "Domain",
    "Erasure",
    "Export",
    "Flag",
    "FlagNote",
    "Invitation",
    "Landing",
    "Membership",
    "Person",
    "Picture",
    "Plan",
    "ReleasedHost",
    "Report",
    "Revision",
    "Section",
    "ShareLink",
    "Suspension",
    "TakenError",
    "Tenant",
    "TenantQuerySet",
    "drafts_of_tenants",
    "hashed",
    "keep_a_primary",
    "let_in",
    "new_share_token",
    "new_token",
    "next_week",
    "owners_addresses",
    "pages_of_tenants",
]
