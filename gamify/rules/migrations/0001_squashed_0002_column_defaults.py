import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    replaces = [
        ("rules", "0001_initial"),
        ("rules", "0002_column_defaults"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True, null=True)),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                ("priority", models.IntegerField(db_default=0, default=0)),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("event_types", models.JSONField(blank=True, db_default=[], default=list)),
                ("changes", models.JSONField(blank=True, db_default=[], default=list)),
                (
                    "expression",
                    participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
                ),
                (
                    "grants",
                    participants.models.json.JSONField(
                        db_default=[], decoder=participants.models.json.Decoder, default=list
                    ),
                ),
                ("limits", models.JSONField(blank=True, db_default={}, default=dict)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="participants.tenant",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="RuleTally",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("total", models.BigIntegerField()),
                ("days", models.JSONField(db_default={}, default=dict)),
                ("last_at", models.DateTimeField()),
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
                    "rule",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="rules.rule",
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
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(fields=("tenant", "code"), name="rule_code_unique"),
        ),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.CheckConstraint(
                condition=models.Q(("starts_at__lt", models.F("ends_at"))), name="rule_schedule_ordered"
            ),
        ),
        migrations.AddConstraint(
            model_name="ruletally",
            constraint=models.UniqueConstraint(fields=("tenant", "participant", "rule"), name="rule_tally_unique"),
        ),
    ]
