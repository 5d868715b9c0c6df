from datetime import UTC, datetime, timedelta

import pytest

from gamify.points.models import LedgerEntry
from gamify_project.demo import make_demo
from participants.models import Participant

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def test_seeding_twice_adds_nothing():
    first = make_demo(now=NOW, people=20, days=10)
    entries = LedgerEntry.objects.count()

    second = make_demo(now=NOW, people=20, days=10)

    assert (second.participants, second.points) == (first.participants, first.points)
    assert LedgerEntry.objects.count() == entries > 0
    assert set(Participant.objects.values_list("attributes__plan", flat=True)) <= {"free", "pro", "enterprise"}


def test_a_later_run_adds_the_days_since():
    first = make_demo(now=NOW, people=20, days=10)

    second = make_demo(now=NOW + timedelta(days=5), people=20, days=10)

    assert second.points > first.points
