import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0014_pictures")]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=60, unique=True)),
                (
                    "domains",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Addresses on the platform do not count. Empty: no limit.",
                        null=True,
                        verbose_name="own domains",
                    ),
                ),
                (
                    "products",
                    models.PositiveIntegerField(blank=True, help_text="Of every status. Empty: no limit.", null=True),
                ),
                (
                    "knowledge",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Questions, texts, files and pages. Empty: no limit.",
                        null=True,
                        verbose_name="knowledge entries",
                    ),
                ),
                (
                    "daily_messages",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Caps what shops set themselves. Empty: no cap.",
                        null=True,
                        verbose_name="chat messages a day",
                    ),
                ),
                (
                    "daily_tokens",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Caps what shops set themselves. Empty: no cap.",
                        null=True,
                        verbose_name="chat tokens a day",
                    ),
                ),
                (
                    "is_default",
                    models.BooleanField(
                        default=False,
                        help_text="The plan of every new shop. Another one loses this mark.",
                        verbose_name="for new shops",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("is_default",), name="one_default_plan"
                    )
                ],
            },
        ),
        # Without a value first: nothing is rewritten, and shops can be saved while the next migration fills it.
        migrations.AddField(
            model_name="tenant",
            name="plan",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="tenants",
                to="tenants.plan",
            ),
        ),
    ]
