from django.db import migrations, models

from participants.migration_operations import AddIndexConcurrently


class Migration(migrations.Migration):
    """Finds the newest domain events of a tenant, for pages of activity."""

    atomic = False
    dependencies = [("participants", "0017_who_may_export_participants")]

    operations = [
        AddIndexConcurrently(
            model_name="domainevent", index=models.Index(fields=["tenant", "id"], name="domain_event_newest")
        ),
    ]
