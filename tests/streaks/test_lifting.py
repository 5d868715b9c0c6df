"""A freeze or a restore is lifted: its windows are no longer excused."""

from datetime import UTC, datetime, timedelta

import pytest

from participants.catalog import catalog_of
from participants.errors import DomainError
from participants.models import DomainEvent, Participant
from streaks.models import ParticipantStreak
from streaks.selectors import status_of, status_without_freeze, streaks_in
from streaks.services import (
    CareRequest,
    FreezeNotFound,
    create_streak,
    freeze,
    lift_freeze,
    record,
    restore,
)

NOW = datetime(2026, 2, 14, 8, 15, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
DAY = timedelta(days=1)
HOLIDAY = CareRequest("ada", "daily", "On holiday")
MISTAKE = CareRequest("ada", "daily", "A mistake")


@pytest.fixture
def streak(tenant):
    row = create_streak(
        tenant=tenant,
        data={
            "code": "daily",
            "name": "Daily",
            "event_types": ["daily"],
            "milestones": [{"threshold": 3, "reward_item_id": None, "repeatable": True}],
        },
        now=NOW - 30 * DAY,
    )
    tenant.refresh_from_db()
    return row


def tick(tenant, *ages):
    for age in sorted(ages, reverse=True):
        at = NOW - age * DAY
        record(tenant=tenant, participant_id="ada", streak_code="daily", at=at, now=at)


def freeze_days(tenant, first, last, *, now=NOW):
    begin, end = ((NOW - age * DAY).date() for age in (first, last))
    freeze(tenant=tenant, request=HOLIDAY, begin=begin, end=end, now=now)


def current(tenant, *, now=LATER):
    streak = streaks_in(catalog_of(tenant)).by_code["daily"]
    row = ParticipantStreak.objects.get()
    return status_of(row, streak, Participant.objects.get(), now=now).streak_status.current


def emitted(tenant):
    return [(event.type, event.data) for event in DomainEvent.objects.filter(occurred_at=LATER).order_by("id")]


def test_a_run_that_only_a_freeze_preserves_breaks(tenant, streak):
    tick(tenant, 5, 4, 3)
    freeze_days(tenant, 2, 1)
    assert current(tenant) == 3

    lifted = lift_freeze(tenant=tenant, request=MISTAKE, given_at=NOW, now=LATER)

    assert (lifted.streak_status.current, lifted.streak_status.longest) == (0, 3)
    assert current(tenant) == 0
    assert ParticipantStreak.objects.get().freezes == []
    unfrozen, broken = emitted(tenant)
    assert (unfrozen[0], broken[0]) == ("streak.unfrozen", "streak.broken")
    span = ("2026-02-12T00:00:00Z", "2026-02-14T00:00:00Z")
    assert (unfrozen[1]["from"], unfrozen[1]["to"], unfrozen[1]["reason"]) == (*span, "A mistake")
    assert broken[1]["final_count"] == 3


def test_a_run_that_does_not_need_the_freeze_lives_on(tenant, streak):
    tick(tenant, 2, 1)
    freeze_days(tenant, 1, 1)

    lifted = lift_freeze(tenant=tenant, request=MISTAKE, given_at=NOW, now=LATER)

    assert lifted.streak_status.current == 2
    assert [name for name, _ in emitted(tenant)] == ["streak.unfrozen"]


def test_other_freezes_stay(tenant, streak):
    tick(tenant, 5, 4)
    freeze_days(tenant, 3, 1, now=NOW - DAY)
    freeze_days(tenant, 0, -3)

    lift_freeze(tenant=tenant, request=MISTAKE, given_at=NOW, now=LATER)

    (left,) = ParticipantStreak.objects.get().freezes
    assert left["at"] == (NOW - DAY).isoformat()
    assert current(tenant) == 2


def test_a_restored_run_breaks_again_and_its_milestone_is_not_paid_twice(tenant, streak):
    tick(tenant, 9, 8, 7)
    restore(tenant=tenant, request=HOLIDAY, now=NOW)
    assert current(tenant, now=NOW) == 3

    lift_freeze(tenant=tenant, request=MISTAKE, given_at=NOW, now=LATER)
    assert current(tenant) == 0
    restore(tenant=tenant, request=HOLIDAY, now=LATER + DAY)

    assert DomainEvent.objects.filter(type="streak.milestone_reached").count() == 1


def test_the_row_that_was_announced_agrees_afterwards(tenant, streak):
    """Sweeps must not announce the same break again."""
    tick(tenant, 5, 4, 3)
    freeze_days(tenant, 2, 1)

    lift_freeze(tenant=tenant, request=MISTAKE, given_at=NOW, now=LATER)

    row = ParticipantStreak.objects.get()
    assert (row.count, row.breaks_at, row.at_risk_at) == (0, None, None)


def test_the_effect_can_be_seen_before(tenant, streak, nothing_written):
    tick(tenant, 5, 4, 3)
    freeze_days(tenant, 2, 1)
    compiled = streaks_in(catalog_of(tenant)).by_code["daily"]
    status = status_of(ParticipantStreak.objects.get(), compiled, Participant.objects.get(), now=LATER)

    with nothing_written():
        without = status_without_freeze(status, NOW, now=LATER)

    assert (status.streak_status.current, without.streak_status.current) == (3, 0)
    assert len(status.row.freezes) == 1


@pytest.mark.parametrize(
    ("request_", "given_at", "error"),
    [
        (MISTAKE, LATER, FreezeNotFound),
        (CareRequest("bob", "daily", "x"), NOW, DomainError),
        (CareRequest("ada", "nothing", "x"), NOW, DomainError),
    ],
)
def test_what_does_not_exist_is_not_lifted(tenant, streak, nothing_written, request_, given_at, error):
    tick(tenant, 5, 4, 3)
    freeze_days(tenant, 2, 1)

    with nothing_written(), pytest.raises(error):
        lift_freeze(tenant=tenant, request=request_, given_at=given_at, now=LATER)


def test_a_freeze_of_another_tenants_namesake_stays(tenant, other_tenant, streak, nothing_written):
    tick(tenant, 5, 4, 3)
    freeze_days(tenant, 2, 1)

    with nothing_written(), pytest.raises(DomainError):
        lift_freeze(tenant=other_tenant, request=MISTAKE, given_at=NOW, now=LATER)


def test_it_is_lifted_once(tenant, streak):
    tick(tenant, 5, 4, 3)
    freeze_days(tenant, 2, 1)
    lift_freeze(tenant=tenant, request=MISTAKE, given_at=NOW, now=LATER)

    with pytest.raises(FreezeNotFound):
        lift_freeze(tenant=tenant, request=MISTAKE, given_at=NOW, now=LATER)
    assert DomainEvent.objects.filter(type="streak.unfrozen").count() == 1
