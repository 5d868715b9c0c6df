from django.db import migrations, models

import participants.models.json


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0006_streak_status_agrees"),
    ]

    operations = [
        migrations.AddField(
            model_name="streak",
            name="review_cursor",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="streak",
            name="review_due_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RemoveIndex(
            model_name="participantstreak",
            name="streak_breaks_at",
        ),
        migrations.RemoveIndex(
            model_name="participantstreak",
            name="streak_at_risk_at",
        ),
        migrations.AddField(
            model_name="participantstreak",
            name="anchor",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="participantstreak",
            name="count",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="participantstreak",
            name="freezes",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="participantstreak",
            name="paid",
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name="participantstreak",
            name="progress",
            field=participants.models.json.JSONField(decoder=participants.models.json.Decoder, default=dict),
        ),
        migrations.AddField(
            model_name="participantstreak",
            name="warned_of",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="participantstreak",
            index=models.Index(fields=["tenant", "streak", "participant"], name="participant_streak_streak"),
        ),
        migrations.AddIndex(
            model_name="participantstreak",
            index=models.Index(
                condition=models.Q(("breaks_at__isnull", False)),
                fields=["tenant", "breaks_at"],
                name="streak_breaks_at",
            ),
        ),
        migrations.AddIndex(
            model_name="participantstreak",
            index=models.Index(
                condition=models.Q(("at_risk_at__isnull", False)),
                fields=["tenant", "at_risk_at"],
                name="streak_at_risk_at",
            ),
        ),
    ]
