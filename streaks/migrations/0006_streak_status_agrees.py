from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0005_status_of_inactive_streaks"),
    ]

    operations = [
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
    ]
