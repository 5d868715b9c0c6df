from django.db import migrations

from participants.migration_operations import ValidateConstraint


class Migration(migrations.Migration):
    dependencies = [("participants", "0021_point_value")]

    operations = [ValidateConstraint(model_name="tenant", name="tenant_point_value_has_currency")]
