"""What the admin's pages and integrations ask about a shop."""

import uuid

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema

from controlplane.publishing.status import PublishingStatus, status_of
from tenants import scoping
from tenants.models import Tenant

router = Router(tags=["shops"])


class ShopOut(Schema):
    id: uuid.UUID
    slug: str
    name: str
    status: str
    currency: str
    locale: str


class PublishingOut(Schema):
    state: str
    label: str
    waiting: int
    failed: int
    reason: str


@router.get("/", response=list[ShopOut])
def shops(request: HttpRequest) -> list[Tenant]:
    """The shops that the user is a member of (all for platform staff), at most 100 by slug."""
    return list(scoping.shops(request).order_by("slug")[:100])


@router.get("/{slug}/publishing", response=PublishingOut)
def publishing(request: HttpRequest, slug: str) -> PublishingStatus:
    """Whether the shop's last changes are live. 404 for a stranger."""
    tenant = get_object_or_404(scoping.shops(request), slug=slug)
    return status_of(tenant.pk)
