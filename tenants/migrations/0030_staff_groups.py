from typing import Any

from django.db import migrations

from tenants.staff import GROUPS, grant


def make(apps: Any, schema_editor: Any) -> None:
    for group, permissions in GROUPS.items():
        grant(apps, group, permissions)


class Migration(migrations.Migration):
    """The three groups of the platform's staff. Those that exist keep what they have."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("publishing", "0001_initial"),
        ("tenants", "0020_flags"),
    ]

    operations = [migrations.RunPython(make, migrations.RunPython.noop, elidable=False)]
