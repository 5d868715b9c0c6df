from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streaks", "0011_column_defaults"),
    ]

    operations = [
        migrations.AddField(
            model_name="amnesty",
            name="actor",
            field=models.CharField(editable=False, max_length=100, null=True),
        ),
        migrations.AddField(
            model_name="amnesty",
            name="actor_label",
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="amnesty",
            name="request_id",
            field=models.CharField(editable=False, max_length=128, null=True),
        ),
        migrations.AddField(
            model_name="streakpause",
            name="actor",
            field=models.CharField(editable=False, max_length=100, null=True),
        ),
        migrations.AddField(
            model_name="streakpause",
            name="actor_label",
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="streakpause",
            name="request_id",
            field=models.CharField(editable=False, max_length=128, null=True),
        ),
    ]
