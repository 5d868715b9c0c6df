from django.db import migrations, models

import participants.models.json
import streaks.models.definitions


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0002_amnesty"),
    ]

    operations = [
        migrations.AddField(
            model_name="streak",
            name="at_risk_seconds",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="streak",
            name="condition",
            field=participants.models.json.JSONField(
                decoder=participants.models.json.Decoder, default=streaks.models.definitions.any_tick
            ),
        ),
        migrations.AddField(
            model_name="streak",
            name="duration_seconds",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="streak",
            name="expression",
            field=participants.models.json.JSONField(blank=True, decoder=participants.models.json.Decoder, null=True),
        ),
        migrations.AddField(
            model_name="streak",
            name="milestones",
            field=participants.models.json.JSONField(decoder=participants.models.json.Decoder, default=list),
        ),
        migrations.AddField(
            model_name="streak",
            name="reset_time",
            field=models.CharField(default="00:00", max_length=5),
        ),
        migrations.AddField(
            model_name="streak",
            name="timezone",
            field=models.CharField(blank=True, max_length=64, null=True),
        ),
        migrations.AddField(
            model_name="streak",
            name="week_start",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="streakrevision",
            name="condition",
            field=participants.models.json.JSONField(
                decoder=participants.models.json.Decoder, default=streaks.models.definitions.any_tick
            ),
        ),
        migrations.AddField(
            model_name="streakrevision",
            name="duration_seconds",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="streakrevision",
            name="reset_time",
            field=models.CharField(default="00:00", max_length=5),
        ),
        migrations.AddField(
            model_name="streakrevision",
            name="tenant_timezone",
            field=models.CharField(default="UTC", max_length=64),
        ),
        migrations.AddField(
            model_name="streakrevision",
            name="week_start",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="streak",
            name="name",
            field=models.CharField(max_length=255),
        ),
        migrations.AlterField(
            model_name="streak",
            name="period",
            field=models.CharField(
                choices=[
                    ("hourly", "Hourly"),
                    ("daily", "Daily"),
                    ("weekly", "Weekly"),
                    ("monthly", "Monthly"),
                    ("rolling", "Rolling"),
                ],
                default="daily",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="streakrevision",
            name="grace_periods",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="streakrevision",
            name="period",
            field=models.CharField(
                choices=[
                    ("hourly", "Hourly"),
                    ("daily", "Daily"),
                    ("weekly", "Weekly"),
                    ("monthly", "Monthly"),
                    ("rolling", "Rolling"),
                ],
                default="daily",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="streakrevision",
            name="reset_on_miss",
            field=models.BooleanField(default=True),
        ),
        migrations.AlterField(
            model_name="streakrevision",
            name="timezone",
            field=models.CharField(blank=True, max_length=64, null=True),
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
    ]
