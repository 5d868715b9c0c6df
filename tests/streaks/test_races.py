"""Simultaneous ticks of one participant, with real threads and connections."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from participants.models import DomainEvent
from participants.services.tenants import create_tenant
from streaks.models import ParticipantStreak
from streaks.services import create_streak, record, update_streak
from tests.threads import all_at_once
from tests.wire import counted_round_trips

NOON = datetime(2026, 2, 14, 12, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


@pytest.fixture
def streak(tenant):
    row = create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["login"]}, now=NOON)
    tenant.refresh_from_db()
    return row


def tick_on(tenant, day):
    return partial(record, tenant=tenant, participant_id="u", streak_code="daily", at=NOON + day * DAY, now=NOON)


def test_16_first_ticks_in_one_window_count_once(tenant, streak):
    results = all_at_once([tick_on(tenant, 0)] * 16)

    assert {result.new_count for result in results} == {1}
    assert sum(not result.already_recorded for result in results) == 1
    assert ParticipantStreak.objects.count() == 1
    assert DomainEvent.objects.filter(type="streak.incremented").count() == 1


def test_16_ticks_of_different_days_at_once_make_one_run_of_16(tenant, streak):
    results = all_at_once([tick_on(tenant, -day) for day in range(16)])

    assert max(result.longest_count for result in results) == 16
    assert ParticipantStreak.objects.get().runs == [[NOON.toordinal() - 15, 16]]


@pytest.mark.two_connections
def test_a_tick_needs_two_round_trips_after_the_key(tenant, streak):
    tick_on(tenant, -1)()

    with counted_round_trips() as wire:
        tick_on(tenant, 0)()

    assert wire.round_trips == 2


def test_a_process_with_a_stale_catalog_reloads_it_before_a_tick(tenant, streak):
    stale = type(tenant).objects.get(pk=tenant.pk)
    tick_on(stale, -1)()
    update_streak(streak, tenant=tenant, changes={"grace_periods": 5}, now=NOON - DAY)
    tick_on(type(tenant).objects.get(pk=tenant.pk), -1)()
    assert ParticipantStreak.objects.get().revision == 2

    result = tick_on(stale, 0)()

    assert result.new_count == 2
    assert ParticipantStreak.objects.get().revision == 2
