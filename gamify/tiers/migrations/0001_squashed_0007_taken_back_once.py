import django.db.models.deletion
from django.db import migrations, models

import participants.ids


class Migration(migrations.Migration):
    replaces = [
        ("tiers", "0001_initial"),
        ("tiers", "0002_points_multiplier"),
        ("tiers", "0003_column_defaults"),
        ("tiers", "0004_actors"),
        ("tiers", "0005_taken_back"),
        ("tiers", "0006_ladder_run"),
        ("tiers", "0007_taken_back_once"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="LadderRun",
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
                ("requested_at", models.DateTimeField()),
                ("after", models.UUIDField(null=True)),
                ("raised", models.PositiveBigIntegerField(db_default=0, default=0)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="ladder_run", to="participants.tenant"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Tier",
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
                ("display_order", models.IntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                ("level", models.PositiveIntegerField()),
                ("color", models.CharField(blank=True, max_length=20, null=True)),
                ("icon_url", models.CharField(blank=True, max_length=500, null=True)),
                ("criteria_config", models.JSONField(blank=True, db_default={}, default=dict)),
                (
                    "award_type",
                    models.CharField(
                        choices=[("automatic", "Automatic"), ("manual", "Manual")],
                        db_default="automatic",
                        default="automatic",
                        max_length=10,
                    ),
                ),
                ("benefits", models.JSONField(blank=True, db_default=[], default=list)),
                ("points_multiplier", models.DecimalField(blank=True, decimal_places=4, max_digits=7, null=True)),
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
                "constraints": [models.UniqueConstraint(fields=("tenant", "code"), name="tier_code_unique")],
            },
        ),
        migrations.CreateModel(
            name="TierChange",
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
                ("number", models.BigIntegerField()),
                ("tier_id", models.UUIDField()),
                ("code", models.CharField(max_length=50)),
                ("name", models.CharField(max_length=100)),
                ("level", models.PositiveIntegerField()),
                ("previous_code", models.CharField(max_length=50, null=True)),
                ("previous_level", models.PositiveIntegerField(null=True)),
                ("previous_is_manual", models.BooleanField(null=True)),
                ("how", models.CharField(choices=[("automatic", "Automatic"), ("manual", "Manual")], max_length=10)),
                ("reason", models.TextField(null=True)),
                ("entry_id", models.UUIDField(null=True)),
                ("reverses_id", models.UUIDField(null=True)),
                ("changed_at", models.DateTimeField()),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "participant", "number"), name="tier_change_number_unique"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("reverses_id__isnull", False)),
                        fields=("tenant", "participant", "reverses_id"),
                        name="tier_change_taken_back_once",
                    ),
                    models.CheckConstraint(condition=models.Q(("number__gte", 1)), name="tier_change_number_positive"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("previous_code__isnull", True),
                            models.Q(("previous_code", models.F("code")), _negated=True),
                            _connector="OR",
                        ),
                        name="tier_change_changes",
                    ),
                ],
            },
        ),
    ]
