from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("participants", "0007_participant_rewards_claimed"),
    ]

    operations = [
        migrations.AddField(
            model_name="participant",
            name="next_expiry_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
