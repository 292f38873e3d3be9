"""Indexes by which staff find a shop. Raw SQL: prefixes need an operator class on PostgreSQL, and one table is
Django's own. Built beside the running system there (CONCURRENTLY), hence no transaction."""

from typing import Any

from django.db import migrations

INDEXES = {
    "tenants_name_prefix": ("tenants_tenant", "lower(name)"),
    "tenants_host_prefix": ("tenants_domain", "host"),
    "tenants_owner_email_prefix": ("auth_user", "lower(email)"),
}


def create(apps: Any, schema_editor: Any) -> None:
    postgres = schema_editor.connection.vendor == "postgresql"
    for name, (table, column) in INDEXES.items():
        if postgres:
            # One that an interrupted run left behind is invalid, and would stay so.
            schema_editor.execute(f"DROP INDEX IF EXISTS {name}")
            schema_editor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {table} ({column} text_pattern_ops)")
        else:
            schema_editor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column})")


def drop(apps: Any, schema_editor: Any) -> None:
    for name in INDEXES:
        schema_editor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("tenants", "0011_invitations"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(create, drop, elidable=False)]
