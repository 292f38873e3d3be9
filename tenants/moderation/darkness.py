"""How long a suspended shop stays visible: the edge is asked, as a shopper would, until it serves nothing more."""

from typing import Any

from django.utils import timezone

from controlplane.adapters.errors import AdapterError
from controlplane.publishing import cells
from controlplane.publishing.documents import INSTANT, KV, TURSO
from controlplane.publishing.models import StaleDocument
from tenants.models import Suspension
from tenants.slugs import host_of

DARK = (410, 451)

PARTS = {"page": ("HEAD", "/", KV), "chat": ("POST", "/api/chat", TURSO), "products": ("HEAD", "/products", INSTANT)}
"""How the edge is asked for each part, and the store that must hold nothing of it: open pages read that directly."""


def look(suspension: Suspension) -> bool:
    """Looks at what is not dark yet and notes what has become so. True once nothing is served any more."""
    found: dict[str, Any] = {"problem": ""}
    host = host_of(suspension.tenant.slug)  # the one host that is always the shop's
    for part in waiting(suspension):
        problem = _problem(suspension, host, part)
        if problem is None:
            found[f"{part}_dark_after"] = round((timezone.now() - suspension.at).total_seconds(), 2)
        else:
            found["problem"] = found["problem"] or problem
    found["looked_at"] = timezone.now()
    Suspension.objects.filter(pk=suspension.pk).update(**found)
    for name, value in found.items():
        setattr(suspension, name, value)
    return not waiting(suspension)


def waiting(suspension: Suspension) -> list[str]:
    """The parts that were not seen dark yet."""
    return [part for part in PARTS if getattr(suspension, f"{part}_dark_after") is None]


def _problem(suspension: Suspension, host: str, part: str) -> str | None:
    """Why the part is not dark, in a sentence or "" where it only needs time; None: it is dark."""
    method, path, destination = PARTS[part]
    stale = StaleDocument.objects.filter(tenant=suspension.tenant_id, destination=destination)
    late = stale.exclude(error="").first() or stale.first()
    if late is not None:
        return late.error
    try:
        return None if cells.edge().status(host, path, method) in DARK else ""
    except AdapterError as error:
        return error.message
