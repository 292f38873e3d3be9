from django.db import migrations, models

import tenants.models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_fill_domain_states")]

    operations = [
        migrations.AlterField(
            model_name="domain",
            name="token",
            field=models.CharField(default=tenants.models.new_token, editable=False, max_length=64, unique=True),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.UniqueConstraint(fields=("tenant", "host"), name="one_claim_per_shop_and_host"),
        ),
        migrations.AddConstraint(
            model_name="domain",
            constraint=models.UniqueConstraint(
                condition=models.Q(("proven_at__isnull", False)), fields=("host",), name="one_proven_domain_per_host"
            ),
        ),
    ]
