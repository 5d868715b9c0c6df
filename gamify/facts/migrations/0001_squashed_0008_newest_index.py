import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    replaces = [
        ("facts", "0001_initial"),
        ("facts", "0002_event_trace"),
        ("facts", "0003_event_reversal"),
        ("facts", "0004_event_marks"),
        ("facts", "0005_column_defaults"),
        ("facts", "0006_actors"),
        ("facts", "0007_actor_index"),
        ("facts", "0008_newest_index"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
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
                ("name", models.CharField(max_length=100)),
                (
                    "properties",
                    participants.models.json.JSONField(
                        db_default={}, decoder=participants.models.json.Decoder, default=dict
                    ),
                ),
                ("trace", participants.models.json.JSONField(decoder=participants.models.json.Decoder, null=True)),
                ("marks", participants.models.json.JSONField(decoder=participants.models.json.Decoder, null=True)),
                ("occurred_at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("reversed_at", models.DateTimeField(null=True)),
                ("reversal", participants.models.json.JSONField(decoder=participants.models.json.Decoder, null=True)),
                (
                    "participant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="participants.participant",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="participants.tenant",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["tenant", "participant", "occurred_at", "id"], name="event_history"),
                    models.Index(
                        fields=["tenant", "participant", "name", "occurred_at", "id"], name="event_history_by_name"
                    ),
                    models.Index(fields=["tenant", "actor", "id"], name="event_actor"),
                    models.Index(fields=["tenant", "id"], name="event_newest"),
                ],
            },
        ),
    ]
