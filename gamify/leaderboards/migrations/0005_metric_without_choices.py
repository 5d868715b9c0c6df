from django.db import migrations, models


class Migration(migrations.Migration):
    """Metrics are registered by the domains, so the column does not list them. No SQL."""

    dependencies = [
        ("leaderboards", "0004_large_sums"),
    ]

    operations = [
        migrations.AlterField(
            model_name="leaderboard",
            name="metric",
            field=models.CharField(default="points_earned", max_length=20),
        ),
    ]
