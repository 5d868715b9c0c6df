from django.db import migrations, models

from participants.migration_operations import AddIndexConcurrently


class Migration(migrations.Migration):
    """Finds the events that an actor reported."""

    atomic = False
    dependencies = [("facts", "0006_actors")]

    operations = [
        AddIndexConcurrently(
            model_name="event", index=models.Index(fields=["tenant", "actor", "id"], name="event_actor")
        ),
    ]
