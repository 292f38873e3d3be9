"""Shops, their people and hosts; their landing pages with drafts and revisions."""

from tenants.models.landings import (
    ConflictError,
    Landing,
    Revision,
    Section,
    ShareLink,
    drafts_of_tenants,
    new_token,
    next_week,
    pages_of_tenants,
)
from tenants.models.shops import Domain, Membership, Person, Tenant, TenantQuerySet

__all__ = [
    "ConflictError", "Domain", "Landing", "Membership", "Person", "Revision", "Section", "ShareLink", "Tenant",
    "TenantQuerySet", "drafts_of_tenants", "new_token", "next_week", "pages_of_tenants",
]  # fmt: skip
