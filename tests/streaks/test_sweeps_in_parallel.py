"""Sweeps in parallel with each other and with ticks, with real threads and connections (docs/contract.md §10, At risk)."""

from functools import partial

import pytest
from django.utils import timezone

from participants.models import DomainEvent
from participants.services.tenants import create_tenant
from streaks.models import ParticipantStreak
from streaks.selectors.due import BREAKS
from streaks.services import record, sweep
from tests.streaks.sweeping import (
    BREAK,
    HOUR,
    MINUTE,
    NOON,
    announcements,
    create_runs_of_three_days,
    define,
    fresh,
    run_sweep,
)
from tests.threads import all_at_once

SWEEPERS = 4

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.two_connections]


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


@pytest.fixture
def daily(tenant):
    return define(tenant)


def test_parallel_sweeps_share_the_work_and_skip_locked_rows(tenant, daily, monkeypatch):
    monkeypatch.setattr("streaks.services.sweeps.CHUNK", 20)
    create_runs_of_three_days(tenant, daily, 400)

    answers = all_at_once([partial(run_sweep, tenant, BREAK, BREAKS) for _ in range(SWEEPERS)])

    assert len(announcements("streak.broken")) == 400
    assert sum(answers) >= 400


def test_sweeps_beside_ticks_lose_no_tick_and_announce_no_live_run_as_broken(tenant, daily, monkeypatch):
    monkeypatch.setattr("streaks.services.sweeps.CHUNK", 7)
    people, now = create_runs_of_three_days(tenant, daily, 160), BREAK + MINUTE
    late, returning = people[::2], people[1::2]

    def tick_all(names, at):
        for name in names:
            record(tenant=fresh(tenant), participant_id=name, streak_code="daily", at=at, now=now)

    def sweep_often():
        for _ in range(6):
            sum(sweep(tenant=fresh(tenant), kind=BREAKS, now=now))

    ticks = [(late[::2], BREAK - HOUR), (late[1::2], BREAK - HOUR), (returning[::2], now), (returning[1::2], now)]
    answers = all_at_once([*(partial(tick_all, *each) for each in ticks), sweep_often, sweep_often])

    assert answers == [None] * 6
    runs = dict(ParticipantStreak.objects.values_list("participant__external_id", "runs"))
    today = NOON.toordinal()
    assert all(runs[name] == [[today - 2, 4]] for name in late)
    assert all(runs[name] == [[today - 2, 3], [today + 2, 1]] for name in returning)
    stories = {name: tuple(types_announced_for(name)) for name in people}
    assert {stories[name] for name in returning} <= {("broken", "incremented")}
    assert {stories[name] for name in late} <= {("incremented",), ("broken", "incremented")}


def types_announced_for(name):
    events = DomainEvent.objects.filter(data__user_id=name).order_by("id").values_list("type", flat=True)
    return [event.removeprefix("streak.") for event in events]
