"""Boards of sums are filled again from the history, because earlier releases cut large amounts off.

They keep their scores until a worker has counted the participant again, and say `building` until it has counted everybody.
"""

from typing import Any

from django.db import migrations
from django.db.models import F


def refill_sums(apps: Any, schema_editor: Any) -> None:
    boards = apps.get_model("leaderboards", "Leaderboard").objects.filter(metric="event_sum", is_active=True)
    tenants = list(boards.values_list("tenant_id", flat=True).distinct())
    boards.update(built_to=None, built_at=None)
    apps.get_model("participants", "Tenant").objects.filter(pk__in=tenants).update(
        catalog_version=F("catalog_version") + 1
    )


class Migration(migrations.Migration):
    dependencies = [
        ("leaderboards", "0002_score_carry"),
        ("participants", "0011_feed_position"),
    ]

    operations = [
        migrations.RunPython(refill_sums, migrations.RunPython.noop),
    ]
