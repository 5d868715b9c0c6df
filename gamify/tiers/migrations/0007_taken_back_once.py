from django.db import migrations, models

from participants.migration_operations import AddUniqueConstraintConcurrently


class Migration(migrations.Migration):
    atomic = False
    reviewed = {"constraint": "The previous release does not know the column `reverses_id`, so it leaves it null."}

    dependencies = [
        ("tiers", "0006_ladder_run"),
    ]

    operations = [
        AddUniqueConstraintConcurrently(
            model_name="tierchange",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reverses_id__isnull", False)),
                fields=("tenant", "participant", "reverses_id"),
                name="tier_change_taken_back_once",
            ),
        ),
    ]
