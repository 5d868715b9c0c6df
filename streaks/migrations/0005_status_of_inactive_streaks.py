from django.db import migrations


def pause_inactive(apps, schema_editor):
    apps.get_model("streaks", "Streak").objects.filter(is_active=False).update(status="paused")


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0004_streak_status"),
    ]

    operations = [
        migrations.RunPython(pause_inactive, migrations.RunPython.noop),
    ]
