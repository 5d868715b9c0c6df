"""What an upgrade does while requests are served: it adds a column to the table that every request locks."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.RunSQL(
            "ALTER TABLE participants_participant ADD COLUMN trial integer NOT NULL DEFAULT 0",
            "ALTER TABLE participants_participant DROP COLUMN trial",
        )
    ]
