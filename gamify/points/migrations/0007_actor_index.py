from django.db import migrations, models

from participants.migration_operations import AddIndexConcurrently


class Migration(migrations.Migration):
    """Finds the entries that an actor wrote."""

    atomic = False
    dependencies = [("points", "0006_actors")]

    operations = [
        AddIndexConcurrently(
            model_name="ledgerentry", index=models.Index(fields=["tenant", "actor", "id"], name="ledger_entry_actor")
        ),
    ]
