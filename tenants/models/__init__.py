"""Shops, their people and hosts; their landing pages with drafts and revisions."""

from tenants.models.flags import Flag, FlagNote, Report, TakenError
from tenants.models.hosts import Domain, keep_a_primary, new_token
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
from tenants.models.rules import ContentRule
from tenants.models.shops import Membership, Person, Tenant, TenantQuerySet
from tenants.registers import Allowance, ReleasedHost

__all__ = [
    "Allowance", "ConflictError", "ContentRule", "Domain", "Flag", "FlagNote", "Landing", "Membership", "Person",
    "ReleasedHost", "Report", "Revision", "Section", "ShareLink", "TakenError", "Tenant", "TenantQuerySet",
    "drafts_of_tenants", "keep_a_primary", "new_share_token", "new_token", "next_week", "pages_of_tenants",
]  # fmt: skip
