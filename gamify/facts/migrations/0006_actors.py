from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("facts", "0005_column_defaults"),
    ]

    operations = [
        migrations.AddField(
            model_name="event",
            name="actor",
            field=models.CharField(editable=False, max_length=100, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="actor_label",
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="event",
            name="request_id",
            field=models.CharField(editable=False, max_length=128, null=True),
        ),
    ]
