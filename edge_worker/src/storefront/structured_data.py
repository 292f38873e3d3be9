"""JSON-LD for search engines: schema.org's Store, Product, Offer and BreadcrumbList.

Reference: schema.org/Product, schema.org/Offer; Google's "merchant listing" wants price as a plain decimal.
"""

import json
from typing import Any

from markupsafe import Markup

from storefront.documents import DomainRecord, Product, decimal_string
from storefront.links import absolute, safe_image
from storefront.sections import Contact

_CONTEXT = "https://schema.org"


def script_text(value: Any) -> Markup:
    """JSON that can't end or comment out the script element around it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character that HTML would read is left


def _filled(**values: Any) -> dict[str, Any]:
    return {name.replace("at_", "@", 1): value for name, value in values.items() if value not in ("", None, [])}


def store(record: DomainRecord, origin: str) -> dict[str, Any]:
    contact = next((s for s in record.sections if isinstance(s, Contact)), None) or Contact()
    return _filled(
        at_context=_CONTEXT,
        at_type="Store",
        at_id=f"{origin}/#store",
        name=record.tenant.name,
        url=f"{origin}/",
        description=record.seo.description,
        image=absolute(origin, safe_image(record.seo.image_url)),
        email=contact.email,
        telephone=contact.phone,
        address=contact.address,
    )


def product(item: Product, record: DomainRecord, origin: str, url: str, description: str) -> dict[str, Any]:
    offer = _filled(
        at_type="Offer",
        url=url,
        price=decimal_string(item.price, item.currency),
        priceCurrency=item.currency,
        availability=f"{_CONTEXT}/{'InStock' if item.available else 'OutOfStock'}",
        itemCondition=f"{_CONTEXT}/NewCondition",
        seller={"@type": "Organization", "name": record.tenant.name},
    )
    return _filled(
        at_context=_CONTEXT,
        at_type="Product",
        at_id=f"{url}#product",
        name=item.title,
        description=description,
        image=absolute(origin, safe_image(item.imageUrl)),
        sku=item.id,
        url=url,
        offers=offer,
    )


def breadcrumbs(trail: list[tuple[str, str]]) -> dict[str, Any]:
    """`trail`: pairs of name and absolute address, the present page last."""
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": url}
        for position, (name, url) in enumerate(trail, start=1)
    ]
    return {"@context": _CONTEXT, "@type": "BreadcrumbList", "itemListElement": items}
