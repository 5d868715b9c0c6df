from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("participants", "0023_membership"),
    ]

    operations = [
        migrations.AddField(
            model_name="tenant",
            name="support_points_per_day",
            field=models.PositiveBigIntegerField(
                db_default=1000,
                default=1000,
                help_text="Points by which one person with the role support may adjust balances per day (UTC), up and down together; 0: none.",
            ),
        ),
        migrations.AlterField(
            model_name="tenant",
            name="requires_second_factor",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="All who can open this tenant must set up a second factor before they can use the console.",
            ),
        ),
    ]
