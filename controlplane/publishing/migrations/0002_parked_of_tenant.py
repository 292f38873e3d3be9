from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="staledocument",
            index=models.Index(
                condition=models.Q(("parked_at", None), _negated=True), fields=["tenant"], name="parked_of_tenant"
            ),
        ),
    ]
