from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("participants", "0013_second_factor_required"),
    ]

    operations = [
        migrations.AddField(
            model_name="domainevent",
            name="actor",
            field=models.CharField(editable=False, max_length=100, null=True),
        ),
        migrations.AddField(
            model_name="domainevent",
            name="actor_label",
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="domainevent",
            name="request_id",
            field=models.CharField(editable=False, max_length=128, null=True),
        ),
    ]
