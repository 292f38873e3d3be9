"""Opening a shop: the one place where tenant, host, owner and landing page come into being together."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from tenants.models import Landing, Membership, Section, Tenant


@transaction.atomic
def open_shop(
    *,
    slug: str,
    name: str,
    owner: User,
    currency: str = "EUR",
    locale: str = "en",
    landing: Mapping[str, Any] | None = None,
    sections: Sequence[tuple[str, Mapping[str, Any]]] = (),
    publish: bool = True,
) -> Tenant:
    """A new active shop on `{slug}.{platform domain}`, owned by `owner`, with a landing page of `sections`.

    The page is live at once; without `publish` it is a draft, and shoppers read "coming soon". All or nothing.
    Raises ValidationError if a value does not fit.
    """
    tenant = Tenant(slug=slug, name=name, currency=currency, locale=locale)
    tenant.full_clean()
    tenant.save()
    Membership.objects.create(user=owner, tenant=tenant, role=Membership.Role.OWNER)
    page = Landing(tenant=tenant, **(landing or {}))
    page.full_clean()
    page.save()
    for position, (kind, content) in enumerate(sections or [("hero", {"heading": name})]):
        section = Section(landing=page, kind=kind, position=position, content=dict(content))
        section.full_clean()
        section.save()
    if publish:
        page.publish(owner, note="The first page")
    return tenant
