from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0003_streak_terms"),
    ]

    operations = [
        migrations.AddField(
            model_name="streak",
            name="status",
            field=models.CharField(
                choices=[("active", "Active"), ("paused", "Paused"), ("archived", "Archived"), ("draft", "Draft")],
                default="active",
                max_length=10,
            ),
        ),
    ]
