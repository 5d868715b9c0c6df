from django.db import migrations, models

from participants.migration_operations import AddIndexConcurrently


class Migration(migrations.Migration):
    """Finds the newest events of a tenant, for pages of activity."""

    atomic = False
    dependencies = [("facts", "0007_actor_index")]

    operations = [
        AddIndexConcurrently(model_name="event", index=models.Index(fields=["tenant", "id"], name="event_newest")),
    ]
