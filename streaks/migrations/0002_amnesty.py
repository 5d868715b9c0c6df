import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Amnesty",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("from_on", models.DateField(verbose_name="from")),
                ("to_on", models.DateField(verbose_name="to")),
                ("timezone", models.CharField(max_length=64)),
                (
                    "streak_codes",
                    participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
                ),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField(editable=False)),
                ("undone_at", models.DateTimeField(editable=False, null=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="participants.tenant"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "amnesties",
                "ordering": ["-created_at"],
            },
        ),
        migrations.AddConstraint(
            model_name="amnesty",
            constraint=models.CheckConstraint(
                condition=models.Q(("to_on__gte", models.F("from_on"))), name="amnesty_ends_later"
            ),
        ),
    ]
