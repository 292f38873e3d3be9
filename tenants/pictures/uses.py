"""Where a picture is used: deleting it there would leave a hole in somebody's page."""

import dataclasses
import json
from typing import Any

from django.apps import apps
from django.urls import reverse

from tenants.models import Landing, Picture

MOST_NAMED = 20


@dataclasses.dataclass(frozen=True)
class Use:
    """A place that shows the picture, in words, and where to change it."""

    text: str
    url: str


def uses_of(picture: Picture) -> list[Use]:
    """On the landing page, as it is live and as it is edited, and on products; older revisions don't count."""
    return [*_on_page(picture), *_on_products(picture)]


def _on_page(picture: Picture) -> list[Use]:
    landing = Landing.objects.select_related("live").filter(tenant=picture.tenant_id).first()
    if landing is None:
        return []
    url = reverse("admin:tenants_landing_change", args=[landing.pk])
    places: list[tuple[str, Any]] = [("the landing page as you edit it", landing.page.to_json())]
    if landing.live is not None:
        places.insert(0, ("the live landing page", landing.live.content))
    return [Use(text, url) for text, content in places if picture.mark in json.dumps(content)]


def _on_products(picture: Picture) -> list[Use]:
    products = apps.get_model("catalog", "Product")._default_manager.filter(
        tenant=picture.tenant_id, image_url__contains=picture.mark
    )
    rows = products.order_by("title", "pk").values_list("pk", "title")[: MOST_NAMED + 1]
    found = [Use(f"the product “{title}”", reverse("admin:catalog_product_change", args=[pk])) for pk, title in rows]
    return [*found[:MOST_NAMED], *([Use("more products", "")] if len(found) > MOST_NAMED else [])]
