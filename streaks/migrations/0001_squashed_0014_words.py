import django.db.models.deletion
from django.db import migrations, models

import participants.ids
import participants.models.json
import streaks.models.definitions


class Migration(migrations.Migration):
    replaces = [
        ("streaks", "0001_initial"),
        ("streaks", "0002_amnesty"),
        ("streaks", "0003_streak_terms"),
        ("streaks", "0004_streak_status"),
        ("streaks", "0005_status_of_inactive_streaks"),
        ("streaks", "0006_streak_status_agrees"),
        ("streaks", "0007_participant_streak_state"),
        ("streaks", "0008_announced_counts"),
        ("streaks", "0009_sweep_indexes"),
        ("streaks", "0010_vouched_ticks"),
        ("streaks", "0011_column_defaults"),
        ("streaks", "0012_actors"),
        ("streaks", "0013_nudges"),
        ("streaks", "0014_words"),
    ]

    initial = True

    dependencies = [
        ("participants", "0001_squashed_0024_support_points_per_day"),
    ]

    operations = [
        migrations.CreateModel(
            name="Streak",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("code", models.CharField(max_length=50)),
                ("description", models.TextField(blank=True, null=True)),
                ("is_active", models.BooleanField(db_default=True, default=True)),
                ("display_order", models.IntegerField(db_default=0, default=0)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False)),
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("hourly", "Hourly"),
                            ("daily", "Daily"),
                            ("weekly", "Weekly"),
                            ("monthly", "Monthly"),
                            ("rolling", "Rolling"),
                        ],
                        db_default="daily",
                        default="daily",
                        max_length=10,
                    ),
                ),
                ("duration_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("timezone", models.CharField(blank=True, max_length=64, null=True)),
                ("reset_time", models.CharField(db_default="00:00", default="00:00", max_length=5)),
                ("week_start", models.PositiveSmallIntegerField(db_default=0, default=0)),
                (
                    "condition",
                    participants.models.json.JSONField(
                        db_default={"min": 1, "type": "count"},
                        decoder=participants.models.json.Decoder,
                        default=streaks.models.definitions.any_tick,
                    ),
                ),
                ("grace_periods", models.PositiveIntegerField(db_default=0, default=0)),
                ("reset_on_miss", models.BooleanField(db_default=True, default=True)),
                ("name", models.CharField(max_length=255)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("archived", "Archived"),
                            ("draft", "Draft"),
                        ],
                        db_default="active",
                        default="active",
                        max_length=10,
                    ),
                ),
                ("event_types", participants.models.json.JSONField(decoder=participants.models.json.Decoder)),
                (
                    "fact_filter",
                    participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
                ),
                (
                    "expression",
                    participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
                ),
                (
                    "milestones",
                    participants.models.json.JSONField(
                        db_default=[], decoder=participants.models.json.Decoder, default=list
                    ),
                ),
                ("at_risk_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("icon_url", models.CharField(blank=True, max_length=500, null=True)),
                ("color", models.CharField(blank=True, max_length=20, null=True)),
                ("revision", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("review_due_at", models.DateTimeField(editable=False, null=True)),
                ("review_cursor", models.UUIDField(editable=False, null=True)),
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
            name="ParticipantStreak",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("revision", models.PositiveIntegerField()),
                ("runs", models.JSONField(db_default=[], default=list)),
                ("carried", models.JSONField(db_default=[], default=list)),
                (
                    "progress",
                    participants.models.json.JSONField(
                        db_default={}, decoder=participants.models.json.Decoder, default=dict
                    ),
                ),
                ("anchor", models.JSONField(null=True)),
                ("paid", models.JSONField(db_default=[], default=list)),
                ("vouched", models.JSONField(db_default={}, default=dict)),
                ("freezes", models.JSONField(db_default=[], default=list)),
                ("last_activity_at", models.DateTimeField()),
                ("count", models.PositiveIntegerField(db_default=0, default=0)),
                ("warned_of", models.DateTimeField(null=True)),
                ("nudged_of", models.DateTimeField(null=True)),
                ("at_risk_at", models.DateTimeField(null=True)),
                ("breaks_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
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
                (
                    "streak",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="streaks.streak",
                    ),
                ),
            ],
            options={
                "verbose_name": "streak of a participant",
                "verbose_name_plural": "streaks of participants",
            },
        ),
        migrations.CreateModel(
            name="StreakPause",
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
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "streak",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pauses", to="streaks.streak"
                    ),
                ),
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
        ),
        migrations.CreateModel(
            name="StreakRevision",
            fields=[
                (
                    "period",
                    models.CharField(
                        choices=[
                            ("hourly", "Hourly"),
                            ("daily", "Daily"),
                            ("weekly", "Weekly"),
                            ("monthly", "Monthly"),
                            ("rolling", "Rolling"),
                        ],
                        db_default="daily",
                        default="daily",
                        max_length=10,
                    ),
                ),
                ("duration_seconds", models.PositiveIntegerField(blank=True, null=True)),
                ("timezone", models.CharField(blank=True, max_length=64, null=True)),
                ("reset_time", models.CharField(db_default="00:00", default="00:00", max_length=5)),
                ("week_start", models.PositiveSmallIntegerField(db_default=0, default=0)),
                (
                    "condition",
                    participants.models.json.JSONField(
                        db_default={"min": 1, "type": "count"},
                        decoder=participants.models.json.Decoder,
                        default=streaks.models.definitions.any_tick,
                    ),
                ),
                ("grace_periods", models.PositiveIntegerField(db_default=0, default=0)),
                ("reset_on_miss", models.BooleanField(db_default=True, default=True)),
                (
                    "id",
                    models.UUIDField(
                        default=participants.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("tenant_timezone", models.CharField(db_default="UTC", default="UTC", max_length=64)),
                ("ended_at", models.DateTimeField()),
                (
                    "streak",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="revisions", to="streaks.streak"
                    ),
                ),
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
        ),
        migrations.CreateModel(
            name="Amnesty",
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
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("to_on__gte", models.F("from_on"))), name="amnesty_ends_later"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="streak",
            index=models.Index(
                condition=models.Q(("review_due_at__isnull", False)), fields=["review_due_at"], name="streak_review_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="streak",
            constraint=models.UniqueConstraint(fields=("tenant", "code"), name="streak_code_unique"),
        ),
        migrations.AddConstraint(
            model_name="streak",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_active", True), ("status", "active")),
                    models.Q(("is_active", False), models.Q(("status", "active"), _negated=True)),
                    _connector="OR",
                ),
                name="streak_status_agrees",
            ),
        ),
        migrations.AddConstraint(
            model_name="streak",
            constraint=models.CheckConstraint(
                condition=models.Q(("fact_filter__isnull", True), ("expression__isnull", True), _connector="OR"),
                name="streak_one_filter",
            ),
        ),
        migrations.AddConstraint(
            model_name="streak",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("duration_seconds__isnull", False), ("period", "rolling")),
                    models.Q(models.Q(("period", "rolling"), _negated=True), ("duration_seconds__isnull", True)),
                    _connector="OR",
                ),
                name="streak_rolling_has_duration",
            ),
        ),
        migrations.AddIndex(
            model_name="participantstreak",
            index=models.Index(fields=["tenant", "streak", "participant"], name="participant_streak_streak"),
        ),
        migrations.AddIndex(
            model_name="participantstreak",
            index=models.Index(
                condition=models.Q(("breaks_at__isnull", False)),
                fields=["tenant", "breaks_at", "id"],
                name="streak_breaks_at",
            ),
        ),
        migrations.AddIndex(
            model_name="participantstreak",
            index=models.Index(
                condition=models.Q(("at_risk_at__isnull", False)),
                fields=["tenant", "at_risk_at", "id"],
                name="streak_at_risk_at",
            ),
        ),
        migrations.AddConstraint(
            model_name="participantstreak",
            constraint=models.UniqueConstraint(
                fields=("tenant", "participant", "streak"), name="participant_streak_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="streakpause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("tenant", "streak"),
                name="streak_pause_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="streakrevision",
            constraint=models.UniqueConstraint(fields=("tenant", "streak", "number"), name="streak_revision_unique"),
        ),
    ]
