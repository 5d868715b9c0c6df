from django.db import migrations


def announce_lives(apps, schema_editor):
    """Of who is alive, the last run was told; a break tells how long it was."""
    rows = apps.get_model("streaks", "ParticipantStreak").objects.filter(breaks_at__isnull=False)
    for row in rows.exclude(runs=[]).iterator(chunk_size=1000):
        row.count = row.runs[-1][1]
        row.save(update_fields=["count"])


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0007_participant_streak_state"),
    ]

    operations = [
        migrations.RunPython(announce_lives, migrations.RunPython.noop),
    ]
