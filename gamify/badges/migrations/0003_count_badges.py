from django.db import migrations
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce


def count(apps, schema_editor):
    """Every participant's badges, in one statement."""
    Participant = apps.get_model("participants", "Participant")
    BadgeAward = apps.get_model("badges", "BadgeAward")
    of_each = BadgeAward.objects.filter(participant_id=OuterRef("pk")).order_by().values("participant_id")
    counts = Subquery(of_each.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    having = BadgeAward.objects.values("participant_id")
    Participant.objects.filter(pk__in=having).update(badge_count=Coalesce(counts, 0))


class Migration(migrations.Migration):
    dependencies = [
        ("badges", "0002_badge_criteria"),
        ("participants", "0005_participant_badge_count"),
    ]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
