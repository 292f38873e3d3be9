"""What was live before there were drafts becomes each shop's first revision."""

from typing import Any

from django.db import migrations
from django.utils import timezone

SEO = {"title": "seo_title", "description": "seo_description", "image_url": "seo_image_url", "noindex": "noindex"}
THEME = (
    "accent", "background", "text", "accent_dark", "background_dark", "text_dark", "font", "radius", "logo_url",
    "favicon_url",
)  # fmt: skip


def content_of(landing: Any) -> dict[str, Any]:
    """As Page.to_json() wrote it when this migration was made."""
    return {
        "seo": {name: getattr(landing, field) for name, field in SEO.items()},
        "theme": {name: getattr(landing, name) for name in THEME},
        "navigation": landing.navigation,
        "sections": [
            {**row.content, "id": str(row.pk), "kind": row.kind, "hidden": False}
            for row in landing.sections.order_by("position", "id")
        ],
    }


def publish_what_is_live(apps: Any, schema_editor: Any) -> None:
    landings = apps.get_model("tenants", "Landing").objects
    revisions = apps.get_model("tenants", "Revision").objects
    now = timezone.now()
    for landing in landings.filter(live=None).prefetch_related("sections").iterator(chunk_size=500):
        landing.live = revisions.create(
            tenant_id=landing.tenant_id, number=1, content=content_of(landing), created_at=now, published_at=now,
            stored_at=now, seen_at=now, note="Live before there were drafts",
        )  # fmt: skip
        landing.save(update_fields=["live"])


def forget(apps: Any, schema_editor: Any) -> None:
    apps.get_model("tenants", "Landing").objects.update(live=None)
    apps.get_model("tenants", "Revision").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("tenants", "0006_drafts_and_revisions")]
    operations = [migrations.RunPython(publish_what_is_live, forget)]
