from typing import Any

from django.db import migrations

LIMITS = {"domains": 25, "products": 5_000, "knowledge": 1_000, "daily_messages": 5_000, "daily_tokens": 5_000_000}


def give_every_shop_the_default_plan(apps: Any, schema_editor: Any) -> None:
    plans = apps.get_model("tenants", "Plan").objects
    plan = plans.filter(is_default=True).first() or plans.create(name="Standard", is_default=True, **LIMITS)
    apps.get_model("tenants", "Tenant").objects.filter(plan=None).update(plan=plan)


class Migration(migrations.Migration):
    dependencies = [("tenants", "0015_plans")]

    operations = [migrations.RunPython(give_every_shop_the_default_plan, migrations.RunPython.noop)]
