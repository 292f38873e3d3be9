from typing import Any

from django.db import migrations

from tenants.staff import grant

# As they were then: what came later is given by later migrations.
SUPPORT = frozenset({"tenants.support_tenant", "publishing.view_staledocument"})
MODERATOR = SUPPORT | {"tenants.moderate_tenant"}
ADMINISTRATOR = MODERATOR | {
    "tenants.close_tenant",
    "publishing.change_staledocument",
    *(f"tenants.{action}_tenant" for action in ("add", "change", "delete", "view")),
    *(f"auth.{action}_{model}" for action in ("add", "change", "delete", "view") for model in ("user", "group")),
}
GROUPS = {"Support": SUPPORT, "Moderator": MODERATOR, "Administrator": ADMINISTRATOR}


def make(apps: Any, schema_editor: Any) -> None:
    for group, permissions in GROUPS.items():
        grant(apps, group, permissions)


class Migration(migrations.Migration):
    """The three groups of the platform's staff. Those that exist keep what they have."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("publishing", "0001_initial"),
        ("tenants", "0009_flags"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop, elidable=False)]
