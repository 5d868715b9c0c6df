from django.db import migrations, models


class Migration(migrations.Migration):
    """How many participants of a board are filled. The previous release writes neither column, so one has a default in the database."""

    dependencies = [
        ("leaderboards", "0006_column_defaults"),
    ]

    operations = [
        migrations.AddField(
            model_name="leaderboard",
            name="people_filled",
            field=models.BigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name="leaderboard",
            name="people_to_fill",
            field=models.BigIntegerField(editable=False, null=True),
        ),
    ]
