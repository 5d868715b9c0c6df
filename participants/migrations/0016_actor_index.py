from django.db import migrations, models

from participants.migration_operations import AddIndexConcurrently


class Migration(migrations.Migration):
    """Finds what an actor did."""

    atomic = False
    dependencies = [("participants", "0015_configuration_change")]

    operations = [
        AddIndexConcurrently(
            model_name="domainevent", index=models.Index(fields=["tenant", "actor", "id"], name="domain_event_actor")
        ),
    ]
