from django.db import migrations, models

from participants.migration_operations import AddConstraintNotValid


class Migration(migrations.Migration):
    """What a point is worth to a tenant."""

    dependencies = [("participants", "0020_figures")]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="point_currency",
            field=models.CharField(
                blank=True,
                help_text="Three letters (ISO 4217), such as EUR.",
                max_length=3,
                null=True,
                verbose_name="currency",
            ),
        ),
        migrations.AddField(
            model_name="tenant",
            name="point_value",
            field=models.DecimalField(
                blank=True,
                decimal_places=6,
                help_text="What a point costs you, such as 0.01. The overview then also shows points in money.",
                max_digits=12,
                null=True,
                verbose_name="value of a point",
            ),
        ),
        AddConstraintNotValid(
            model_name="tenant",
            constraint=models.CheckConstraint(
                condition=models.Q(("point_currency__isnull", True), ("point_value__isnull", True))
                | models.Q(("point_currency__isnull", False), ("point_value__gt", 0)),
                name="tenant_point_value_has_currency",
            ),
        ),
    ]
