from django.db import migrations
from django.utils import timezone

import tenants.models


def fill(apps, schema_editor):
    """Hosts on the platform's zone are live. A merchant's own become claims: nobody has proven them yet."""
    domains = apps.get_model("tenants", "Domain").objects
    now = timezone.now()
    domains.filter(is_platform=True).update(state="live", reason="live", proven_at=now, live_at=now)
    unproven_primary = domains.filter(is_platform=False, is_primary=True)
    shops = list(unproven_primary.values_list("tenant_id", flat=True))
    unproven_primary.update(is_primary=False)
    domains.filter(is_platform=True, tenant_id__in=shops).update(is_primary=True)
    for pk in domains.values_list("pk", flat=True).iterator():
        domains.filter(pk=pk).update(token=tenants.models.new_token())  # the default was the same for every row


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_domain_states")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
