import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json


class Migration(migrations.Migration):
    replaces = [
        ("leaderboards", "0001_initial"),
        ("leaderboards", "0002_score_carry"),
        ("leaderboards", "0003_refill_sums"),
        ("leaderboards", "0004_large_sums"),
        ("leaderboards", "0005_metric_without_choices"),
        ("leaderboards", "0006_column_defaults"),
        ("leaderboards", "0007_build_progress"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Folding",
            fields=[
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="participants.tenant",
                    ),
                ),
                ("revision", models.BigIntegerField(db_default=1, default=1)),
            ],
        ),
        migrations.CreateModel(
            name="LargeSum",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("measure", models.CharField(max_length=40)),
                ("carry", models.IntegerField()),
                ("score", models.BigIntegerField()),
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
                    models.UniqueConstraint(fields=("tenant", "participant", "measure"), name="large_sum_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Leaderboard",
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
                ("metric", models.CharField(db_default="points_earned", default="points_earned", max_length=20)),
                (
                    "selector",
                    participants.models.json.JSONField(
                        blank=True, db_default={}, decoder=participants.models.json.Decoder, default=dict
                    ),
                ),
                (
                    "time_window",
                    models.CharField(
                        choices=[
                            ("all_time", "All Time"),
                            ("yearly", "Yearly"),
                            ("monthly", "Monthly"),
                            ("weekly", "Weekly"),
                            ("daily", "Daily"),
                        ],
                        db_default="all_time",
                        default="all_time",
                        max_length=10,
                    ),
                ),
                ("timezone", models.CharField(db_default="UTC", default="UTC", max_length=64)),
                (
                    "participant_filter",
                    participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
                ),
                ("track", models.UUIDField(default=participants.ids.new_id, editable=False)),
                ("built_to", models.UUIDField(editable=False, null=True)),
                ("built_at", models.DateTimeField(editable=False, null=True)),
                ("people_filled", models.BigIntegerField(db_default=0, default=0, editable=False)),
                ("people_to_fill", models.BigIntegerField(editable=False, null=True)),
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
                "constraints": [models.UniqueConstraint(fields=("tenant", "code"), name="leaderboard_code_unique")],
            },
        ),
        migrations.CreateModel(
            name="Score",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "participant_id",
                        "track",
                        "period",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("track", models.UUIDField()),
                ("period", models.IntegerField()),
                ("carry", models.IntegerField(db_default=0, default=0)),
                ("score", models.BigIntegerField()),
                ("earliness", models.BigIntegerField()),
                ("is_shown", models.BooleanField()),
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
                    models.Index(
                        fields=["track", "period", "is_shown", "carry", "score", "earliness", "participant"],
                        name="score_place",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ScoreChange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("at", models.DateTimeField()),
                ("created_at", models.DateTimeField()),
                ("changes", models.JSONField()),
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
                "indexes": [models.Index(fields=["tenant", "id"], name="score_change_order")],
            },
        ),
        migrations.CreateModel(
            name="ScoreRange",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("track", models.UUIDField()),
                ("period", models.IntegerField()),
                ("level", models.PositiveSmallIntegerField()),
                ("carry", models.IntegerField(db_default=0, default=0)),
                ("score", models.BigIntegerField()),
                ("earliness", models.BigIntegerField()),
                ("count", models.IntegerField()),
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
                        fields=("tenant", "track", "period", "level", "carry", "score", "earliness", "participant"),
                        name="score_range_place_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("count__gte", 0)), name="score_range_count_not_negative"
                    ),
                ],
            },
        ),
    ]
