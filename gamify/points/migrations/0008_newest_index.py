from django.db import migrations, models

from participants.migration_operations import AddIndexConcurrently


class Migration(migrations.Migration):
    """Finds the newest entries of a tenant, for pages of activity."""

    atomic = False
    dependencies = [("points", "0007_actor_index")]

    operations = [
        AddIndexConcurrently(
            model_name="ledgerentry", index=models.Index(fields=["tenant", "id"], name="ledger_entry_newest")
        ),
    ]
