import django.db.models.deletion
from django.db import migrations, models

import gamify.challenges.models.definitions
import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    replaces = [
        ("challenges", "0001_initial"),
        ("challenges", "0002_column_defaults"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Challenge",
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
                (
                    "duration_type",
                    models.CharField(
                        choices=[("fixed", "Fixed"), ("rolling", "Rolling"), ("perpetual", "Perpetual")],
                        db_default="perpetual",
                        default="perpetual",
                        max_length=10,
                    ),
                ),
                ("starts_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("duration_days", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "enrolment",
                    models.CharField(
                        choices=[("automatic", "Automatic"), ("manual", "Manual")],
                        db_default="automatic",
                        default="automatic",
                        max_length=10,
                    ),
                ),
                ("objectives", participants.models.json.JSONField(decoder=participants.models.json.Decoder)),
                (
                    "completion",
                    participants.models.json.JSONField(
                        db_default="all",
                        decoder=participants.models.json.Decoder,
                        default=gamify.challenges.models.definitions.every_objective,
                    ),
                ),
                (
                    "milestones",
                    participants.models.json.JSONField(
                        db_default=[], decoder=participants.models.json.Decoder, default=list
                    ),
                ),
                (
                    "completion_grants",
                    participants.models.json.JSONField(
                        db_default=[], decoder=participants.models.json.Decoder, default=list
                    ),
                ),
                ("is_repeatable", models.BooleanField(db_default=False, default=False)),
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
            name="Enrolment",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("enrolled_at", models.DateTimeField()),
                ("round", models.PositiveIntegerField(db_default=1, default=1)),
                (
                    "progress",
                    participants.models.json.JSONField(
                        db_default={}, decoder=participants.models.json.Decoder, default=dict
                    ),
                ),
                ("done", models.JSONField(db_default=[], default=list)),
                ("paid", models.JSONField(db_default=[], default=list)),
                ("completions", models.PositiveIntegerField(db_default=0, default=0)),
                ("completed_at", models.DateTimeField(null=True)),
                ("expired_at", models.DateTimeField(null=True)),
                ("retry_at", models.DateTimeField(null=True)),
                (
                    "challenge",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="challenges.challenge",
                    ),
                ),
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
        ),
        migrations.AddConstraint(
            model_name="challenge",
            constraint=models.UniqueConstraint(fields=("tenant", "code"), name="challenge_code_unique"),
        ),
        migrations.AddConstraint(
            model_name="challenge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("duration_type", "fixed"), ("starts_at__lt", models.F("ends_at"))),
                    models.Q(
                        models.Q(("duration_type", "fixed"), _negated=True),
                        ("ends_at__isnull", True),
                        ("starts_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="challenge_fixed_has_dates",
            ),
        ),
        migrations.AddConstraint(
            model_name="challenge",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("duration_days__gt", 0), ("duration_days__isnull", False), ("duration_type", "rolling")),
                    models.Q(models.Q(("duration_type", "rolling"), _negated=True), ("duration_days__isnull", True)),
                    _connector="OR",
                ),
                name="challenge_rolling_has_days",
            ),
        ),
        migrations.AddIndex(
            model_name="enrolment",
            index=models.Index(
                condition=models.Q(("completions", 0), ("expired_at__isnull", True)),
                fields=["tenant", "challenge", "enrolled_at", "id"],
                name="enrolment_under_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.UniqueConstraint(fields=("tenant", "participant", "challenge"), name="enrolment_unique"),
        ),
        migrations.AddConstraint(
            model_name="enrolment",
            constraint=models.CheckConstraint(condition=models.Q(("round__gte", 1)), name="enrolment_round_positive"),
        ),
    ]
