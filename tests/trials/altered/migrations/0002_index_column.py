"""It builds an index without blocking writes."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("altered", "0001_add_column")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY trial ON participants_participant (trial)", "DROP INDEX CONCURRENTLY trial"
        )
    ]
