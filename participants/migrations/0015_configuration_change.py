import django.db.models.deletion
from django.db import migrations, models

import participants.ids


class Migration(migrations.Migration):
    dependencies = [
        ("participants", "0014_actors"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConfigurationChange",
            fields=[
                ("actor", models.CharField(editable=False, max_length=100, null=True)),
                ("actor_label", models.CharField(editable=False, max_length=255, null=True)),
                ("request_id", models.CharField(editable=False, max_length=128, null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("object_type", models.CharField(max_length=40)),
                ("object_id", models.CharField(max_length=40)),
                ("code", models.CharField(max_length=255)),
                ("number", models.PositiveIntegerField(null=True)),
                ("changes", models.JSONField()),
                ("reason", models.TextField(null=True)),
                ("created_at", models.DateTimeField(verbose_name="changed at")),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="participants.tenant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant", "id"], name="configuration_change_newest"),
                    models.Index(
                        fields=["tenant", "object_type", "object_id", "id"], name="configuration_change_object"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("number__isnull", False)),
                        fields=("tenant", "object_type", "object_id", "number"),
                        name="configuration_change_number_unique",
                    )
                ],
            },
        ),
    ]
