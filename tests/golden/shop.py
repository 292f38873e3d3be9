"""The shop behind the golden record: every kind of section, fixed ids."""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User

from catalog.models import Product
from tenants.models import Landing, Section, Tenant

MARK = uuid.UUID("01900000-0000-7000-8000-000000000000")


def golden_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=MARK.int + number)


SECTIONS: list[tuple[str, dict[str, Any]]] = [
    (
        "announcement_bar",
        {"text": "Free shipping over 50 €", "link_label": "Details", "link_url": "/search?q=shipping"},
    ),
    (
        "hero",
        {
            "eyebrow": "New", "heading": "Tea & quiet", "text": "Slow mornings.", "image_url": "/static/hero.svg",
            "image_alt": "A teapot", "button_label": "Shop", "button_url": "/products", "layout": "overlay",
        },
    ),
    ("featured_products", {"heading": "Loved", "product_ids": [str(golden_id(12)), str(golden_id(11))]}),
    ("product_grid", {"heading": "Green", "tag": "green", "limit": 4, "sort": "price_desc"}),
    ("rich_text", {"heading": "About", "body_html": "<p>We <strong>like</strong> tea.</p>"}),
    (
        "image_with_text",
        {"heading": "The garden", "body_html": "<p>High up.</p>",
         "image_url": "/static/garden.svg", "image_side": "right"},
    ),
    ("gallery", {"heading": "Here", "images": [{"image_url": "/static/1.svg", "caption": "One"}]}),
    ("testimonials", {"heading": "Said", "items": [{"quote": "Lovely", "author": "Ada", "role": "Leeds"}]}),
    ("faq", {"heading": "Questions", "items": [{"question": "Loose?", "answer": "Yes."}]}),
    ("logo_strip", {"heading": "Seen in", "logos": [{"image_url": "/static/l.svg", "image_alt": "Leaf"}]}),
    (
        "contact",
        {
            "heading": "Visit", "email": "hi@tea.example", "address": "1 Lane\nLeeds",
            "hours": [{"days": "Mon to Fri", "hours": "9 to 17"}],
        },
    ),
    ("call_to_action", {"heading": "Come by", "button_label": "Find us", "button_url": "https://example.com/map"}),
]  # fmt: skip


def golden_shop() -> Tenant:
    User.objects.create_user("golden")
    tenant = Tenant.objects.create(pk=golden_id(1), slug="teahouse", name="Tea <House>", currency="EUR", locale="en-GB")
    landing = Landing.objects.create(
        tenant=tenant, seo_title="Tea House", seo_description="Tea, loose and good.", accent="#2f6b3a", font="serif"
    )
    common = {"tenant": tenant, "status": "active", "image_url": "/static/p.svg", "image_alt": "A tin"}
    Product.objects.create(pk=golden_id(11), title="Sencha", slug="sencha", price=1250, tags=["green"], **common)
    Product.objects.create(
        pk=golden_id(12), title="Gyokuro", slug="gyokuro", price=2990, compare_at_price=3500, stock=0, tags=["green"],
        **common,
    )  # fmt: skip
    Product.objects.create(pk=golden_id(13), title="Not yet", slug="draft", price=1, **{**common, "status": "draft"})
    Product.objects.filter(tenant=tenant).update(updated_at=datetime(2026, 11, 24, 9, 30, tzinfo=UTC))
    for position, (kind, content) in enumerate(SECTIONS):
        Section.objects.create(landing=landing, kind=kind, position=position, content=content)
    landing.publish(None)
    return tenant
