from typing import Any

from django.db import migrations

from tenants.staff import grant

GIVEN = {
    "Moderator": {"tenants.view_closedshop"},
    "Administrator": {
        "tenants.view_closedshop",
        "tenants.view_erasure",
        *(f"tenants.{action}_plan" for action in ("add", "change", "delete", "view")),
    },
}


def give(apps: Any, schema_editor: Any) -> None:
    for group, permissions in GIVEN.items():
        grant(apps, group, permissions)


class Migration(migrations.Migration):
    """Administrators keep plans and erase; moderators see which shops closed."""

    dependencies = [("tenants", "0018_moderation")]

    operations = [migrations.RunPython(give, migrations.RunPython.noop, elidable=False)]
