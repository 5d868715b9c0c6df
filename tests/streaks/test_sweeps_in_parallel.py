"""Sweeps in parallel with each other and with ticks, with real threads and connections (docs/contract.md §10, At risk)."""

from collections import Counter
from functools import partial

import pytest
import time_machine
from django.utils import timezone

from participants.ids import new_id
from participants.models import DomainEvent, Participant
from participants.services.tenants import create_tenant
from streaks.models import ParticipantStreak
from streaks.selectors.due import BREAKS, RISKS
from streaks.services import record, sweep
from streaks.tasks import announce_breaks, announce_risks
from tests.streaks.sweeping import DAY, HOUR, MIDNIGHT, MINUTE, NOON, announcements, define, fresh, run_sweep
from tests.threads import all_at_once

DUE = 5_000
SWEEPERS = 4
BEATS = 3
BREAK = MIDNIGHT + 2 * DAY
WARNING = BREAK - 4 * HOUR

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.two_connections]


@pytest.fixture
def tenant():
    return create_tenant(slug="acme", name="Acme", now=timezone.now())


@pytest.fixture
def daily(tenant):
    return define(tenant)


def here_today(tenant, streak, number):
    """Create `number` participants with a run of three days that ended today."""
    seen = {"first_seen_at": NOON, "last_seen_at": NOON}
    people = [Participant(tenant=tenant, external_id=f"user_{n}", **seen) for n in range(number)]
    Participant.objects.bulk_create(people, batch_size=1000)
    today = NOON.toordinal()
    rows = [
        ParticipantStreak(
            id=new_id(),
            tenant=tenant,
            participant=person,
            streak=streak,
            revision=1,
            runs=[[today - 2, 3]],
            last_activity_at=NOON,
            count=3,
            at_risk_at=WARNING,
            breaks_at=BREAK,
            created_at=NOON,
        )
        for person in people
    ]
    ParticipantStreak.objects.bulk_create(rows, batch_size=1000)
    return [person.external_id for person in people]


def test_parallel_tasks_and_sweeps_announce_every_risk_and_every_break_exactly_once(tenant, daily):
    people = here_today(tenant, daily, DUE)

    for kind, beat, now in ((RISKS, announce_risks, WARNING), (BREAKS, announce_breaks, BREAK)):
        sweeps = [partial(sweep, tenant=fresh(tenant), kind=kind, now=now)] * SWEEPERS
        with time_machine.travel(now, tick=False):
            answers = all_at_once([*[beat] * BEATS, *sweeps])
        assert answers[:BEATS] == [None] * BEATS, answers
        assert all(isinstance(answer, int) for answer in answers[BEATS:]), answers

    for name in ("streak.at_risk", "streak.broken"):
        assert Counter(data["user_id"] for _, data in announcements(name)) == Counter(people)
    assert {data["final_count"] for _, data in announcements("streak.broken")} == {3}
    assert run_sweep(tenant, BREAK + HOUR) == 0


def test_parallel_sweeps_share_the_work_and_skip_locked_rows(tenant, daily, monkeypatch):
    monkeypatch.setattr("streaks.services.sweeps.CHUNK", 20)
    here_today(tenant, daily, 400)

    answers = all_at_once([partial(sweep, tenant=fresh(tenant), kind=BREAKS, now=BREAK) for _ in range(SWEEPERS)])

    assert len(announcements("streak.broken")) == 400
    assert sum(answers) >= 400


def test_sweeps_beside_ticks_lose_no_tick_and_announce_no_live_run_as_broken(tenant, daily, monkeypatch):
    monkeypatch.setattr("streaks.services.sweeps.CHUNK", 7)
    people, now = here_today(tenant, daily, 160), BREAK + MINUTE
    late, returning = people[::2], people[1::2]

    def tick_all(names, at):
        for name in names:
            record(tenant=fresh(tenant), participant_id=name, streak_code="daily", at=at, now=now)

    def sweep_often():
        for _ in range(6):
            sweep(tenant=fresh(tenant), kind=BREAKS, now=now)

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
