"""After the reversal of an event, streaks are as if it had never been sent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.badges.models import BadgeAward
from gamify.badges.services import create_badge
from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import emit, emit_batch, reverse_event
from participants.catalog import catalog_of
from participants.models import DomainEvent, Participant, Tenant
from streaks.engine.counting import windows_of
from streaks.models import ParticipantStreak
from streaks.selectors import statuses_of
from streaks.services import CareRequest, create_streak, freeze, pause, record, update_streak
from tests.factories import RuleFactory, TenantFactory

NOW = datetime(2026, 2, 14, 18, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SUM = {"type": "sum", "field": "n", "min": 10}
DISTINCT = {"type": "distinct", "field": "n", "min": 3}
OTHER_EVENT = "It was granted for another event"


def fresh(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def define(tenant, code="daily", **data):
    return create_streak(tenant=tenant, data={"code": code, "name": code, "event_types": ["login"], **data}, now=NOW)


def send_event(tenant, at=NOW, name="login", **properties):
    return emit(tenant=fresh(tenant), event=EventInput("ada", name, at, properties), now=NOW).event_id


def tick(tenant, at=NOW, code="daily"):
    record(tenant=fresh(tenant), participant_id="ada", streak_code=code, at=at, now=NOW)


def undo(tenant, event_id, **given):
    """Reverse an event and return the part of the answer about streaks: (type, amount, why it stayed)."""
    answer = reverse_event(tenant=fresh(tenant), event_id=str(event_id), reason=None, now=NOW, **given)
    return [(each["type"], each.get("amount"), each.get("kept")) for each in answer.undone if "streak" in each["type"]]


def statuses(tenant):
    """For each streak: current and longest count, progress of the open window, satisfied windows, latest activity, instants."""
    tenant = fresh(tenant)
    person = Participant.objects.filter(tenant=tenant).first()
    return [
        (
            status.streak_status.current,
            status.streak_status.longest,
            status.state.progress.get(windows_of(status.state, status.rules).ordinal(NOW)),
            status.state.runs,
            status.last_activity_at,
            status.streak_status.breaks_at,
            status.streak_status.at_risk_at,
        )
        for status in statuses_of(person, catalog_of(tenant), now=NOW)
    ]


def counts(tenant):
    return [(current, longest) for current, longest, *_ in statuses(tenant)]


def test_a_window_that_only_the_event_satisfied_is_no_longer_satisfied(tenant):
    define(tenant)
    _, middle, _, _ = [send_event(tenant, NOW - days * DAY) for days in (3, 2, 1, 0)]
    assert counts(tenant) == [(4, 4)]

    assert undo(tenant, middle) == [("streak_tick", 1, None)]

    assert counts(tenant) == [(2, 2)]
    data = DomainEvent.objects.get(type="streak.decremented").data
    assert (data["streak_code"], data["new_count"], data["longest_count"]) == ("daily", 2, 2)
    assert ParticipantStreak.objects.get().count == 2


def test_a_window_with_another_event_stays_satisfied(tenant):
    define(tenant)
    first, _ = send_event(tenant, NOW - 2 * HOUR), send_event(tenant, NOW)

    assert undo(tenant, first) == [("streak_tick", None, None)]

    assert counts(tenant) == [(1, 1)]
    assert not DomainEvent.objects.filter(type="streak.decremented").exists()


def test_a_window_with_a_direct_tick_stays_satisfied_in_any_order(tenant):
    define(tenant)
    for days, order in ((3, (send_event, tick)), (2, (tick, send_event)), (1, (send_event,)), (0, (tick,))):
        for each in order:
            each(tenant, NOW - days * DAY)

    for event in Event.objects.order_by("pk"):
        undo(tenant, event.pk)

    assert ParticipantStreak.objects.get().runs == [[(NOW - 3 * DAY).toordinal(), 2], [NOW.toordinal(), 1]]
    assert counts(tenant) == [(1, 2)]


def test_all_events_of_a_window_can_be_undone_one_after_the_other(tenant):
    define(tenant)
    send_event(tenant, NOW - DAY)
    ids = [send_event(tenant, NOW - hours * HOUR) for hours in range(3)]

    assert [undo(tenant, event_id)[0][1] for event_id in ids] == [None, None, 1]
    assert counts(tenant) == [(1, 1)]


def test_the_remaining_part_of_a_run_has_its_own_risk_and_break(tenant):
    define(tenant)
    send_event(tenant, NOW - DAY)
    today = send_event(tenant)

    undo(tenant, today)

    row = ParticipantStreak.objects.get()
    assert row.breaks_at == datetime(2026, 2, 15, tzinfo=UTC)
    assert (row.at_risk_at, row.last_activity_at) == (datetime(2026, 2, 14, 20, tzinfo=UTC), NOW - DAY)


def test_a_row_without_other_ticks_is_deleted(tenant):
    define(tenant)

    assert undo(tenant, send_event(tenant)) == [("streak_tick", 1, None)]

    assert not ParticipantStreak.objects.exists()
    assert DomainEvent.objects.get(type="streak.decremented").data["new_count"] == 0


def test_a_freeze_remains_when_the_last_tick_is_undone(tenant):
    define(tenant)
    event_id = send_event(tenant)
    freeze(tenant=fresh(tenant), request=CareRequest("ada", "daily", "Ill"), begin=NOW, end=NOW + DAY, now=NOW)

    undo(tenant, event_id)

    assert ParticipantStreak.objects.get().freezes != []
    assert counts(tenant) == [(0, 0)]


@pytest.mark.parametrize(("condition", "values"), [(SUM, [6, 5, 4, 1]), (DISTINCT, ["a", "b", "c", "d"])])
def test_sums_and_distinct_values_decrease_in_old_windows_too(tenant, condition, values):
    define(tenant, condition=condition)
    ids = [send_event(tenant, NOW - 300 * DAY, n=value) for value in values]
    send_event(tenant, n=1)

    assert [undo(tenant, event_id)[0][1] for event_id in ids[:2]] == [None, 1]

    assert ParticipantStreak.objects.get().runs == []


def test_ticks_from_before_a_change_of_the_rules_stay(tenant):
    define(tenant)
    event_id = send_event(tenant, NOW - DAY)
    streak = define(tenant, "other")
    update_streak(streak, tenant=tenant, changes={"grace_periods": 1}, now=NOW)
    row = ParticipantStreak.objects.get().streak
    update_streak(row, tenant=tenant, changes={"grace_periods": 1}, now=NOW)
    send_event(tenant)

    [(kind, amount, why)] = undo(tenant, event_id)

    assert (kind, amount, why[:38]) == ("streak_tick", None, "The rules of the streak have changed s")
    assert counts(tenant)[0] == (2, 2)


def test_a_row_that_was_not_processed_since_the_rules_changed_is_undone_exactly(tenant):
    define(tenant)
    send_event(tenant, NOW - DAY)
    event_id = send_event(tenant)
    row = ParticipantStreak.objects.get().streak
    update_streak(row, tenant=tenant, changes={"grace_periods": 1}, now=NOW)

    assert undo(tenant, event_id) == [("streak_tick", 1, None)]
    assert counts(tenant) == [(1, 1)]


def test_a_tick_of_a_paused_streak_is_undone_too(tenant):
    streak = define(tenant)
    send_event(tenant, NOW - DAY)
    event_id = send_event(tenant)
    pause(streak, tenant=tenant, now=NOW)

    assert undo(tenant, event_id) == [("streak_tick", 1, None)]
    assert ParticipantStreak.objects.get().runs == [[(NOW - DAY).toordinal(), 1]]


def test_a_tick_granted_by_a_rule_is_undone_with_its_event(tenant):
    define(tenant)
    RuleFactory(tenant=tenant, event_types=["buy"], grants=[{"type": "streak_tick", "code": "daily"}])
    event_id = send_event(tenant, name="buy")
    assert counts(tenant) == [(1, 1)]

    assert undo(tenant, event_id) == [("streak_tick", 1, None)]
    assert not ParticipantStreak.objects.exists()


def test_milestones_that_the_event_reached_may_be_paid_again(tenant):
    define(tenant, milestones=[{"threshold": 2}])
    send_event(tenant, NOW - DAY)
    second = send_event(tenant)

    assert undo(tenant, second) == [("streak_tick", 1, None), ("streak_milestone", 2, None)]
    assert ParticipantStreak.objects.get().paid == []

    send_event(tenant)
    assert ParticipantStreak.objects.get().paid == [[2, NOW.toordinal()]]


def test_milestones_that_another_event_reached_with_its_help_stay_and_are_reported(tenant):
    define(tenant, milestones=[{"threshold": 2}])
    first, _ = send_event(tenant, NOW - DAY), send_event(tenant)

    assert undo(tenant, first) == [("streak_tick", 1, None), ("streak_milestone", 2, OTHER_EVENT)]
    assert ParticipantStreak.objects.get().paid == [[2, NOW.toordinal()]]


def test_milestones_that_are_reached_without_the_event_stay_paid(tenant):
    define(tenant, milestones=[{"threshold": 2}])
    send_event(tenant, NOW - DAY)
    paid_by, _ = send_event(tenant), send_event(tenant)

    (_, (kind, _, why)) = undo(tenant, paid_by)

    assert (kind, why[:33]) == ("streak_milestone", "It is reached without the event t")
    assert ParticipantStreak.objects.get().paid == [[2, NOW.toordinal()]]


def test_a_badge_for_a_run_is_revoked_with_the_run(tenant):
    define(tenant)
    criteria = {"metric": "streak_count", "streak_code": "daily", "min": 2}
    create_badge(tenant=fresh(tenant), data={"code": "b", "name": "B", "criteria": criteria}, now=NOW)
    send_event(tenant, NOW - DAY)
    second = send_event(tenant)
    assert BadgeAward.objects.exists()

    undo(tenant, second)

    assert not BadgeAward.objects.exists()


def test_ticks_that_were_too_late_because_of_the_event_are_reported(tenant):
    define(tenant, condition=SUM)
    newest = send_event(tenant, n=20)
    send_event(tenant, NOW - 40 * DAY, n=20)

    [(kind, amount, why)] = undo(tenant, newest)

    assert (kind, amount, why) == ("streak_tick", None, "Later events were too late to count because of this event")
    assert counts(tenant) == [(1, 1)]


def test_ticks_that_were_too_late_anyway_do_not_prevent_the_reversal(tenant):
    define(tenant, condition=SUM)
    send_event(tenant, NOW - HOUR, n=20)
    newest = send_event(tenant, n=20)
    send_event(tenant, NOW - 40 * DAY, n=20)

    assert undo(tenant, newest) == [("streak_tick", None, None)]


ROLLING = {"period": "rolling", "duration_seconds": 3600 * 24}


def test_ticks_in_rolling_windows_are_undone_if_no_window_follows(tenant):
    define(tenant, **ROLLING)
    send_event(tenant, NOW - DAY - HOUR)
    newest = send_event(tenant)

    assert undo(tenant, newest) == [("streak_tick", 1, None)]
    assert [entry[:2] for entry in statuses(tenant)] == [(1, 1)]


def test_undoing_the_event_that_opened_a_rolling_run_removes_its_windows(tenant):
    define(tenant, **ROLLING)
    send_event(tenant, NOW - 9 * DAY)
    opening = send_event(tenant)
    before = [ParticipantStreak.objects.get().runs, ParticipantStreak.objects.get().anchor[2] != []]

    assert undo(tenant, opening) == [("streak_tick", 1, None)]

    row = ParticipantStreak.objects.get()
    assert (before, row.runs) == ([[[1, 1], [10, 1]], True], [[1, 1]])
    assert (row.anchor[0], row.last_activity_at) == ((NOW - 9 * DAY).isoformat(), NOW - 9 * DAY)


def test_ticks_in_rolling_windows_stay_if_windows_follow(tenant):
    define(tenant, **ROLLING)
    opening, second, _ = [send_event(tenant, NOW - hours * HOUR) for hours in (50, 25, 0)]

    answer = [undo(tenant, event_id)[0] for event_id in (opening, second)]

    assert [why[:23] for _, _, why in answer] == ["Later periods of this r"] * 2
    assert counts(tenant) == [(3, 3)]


def test_a_preview_reports_the_same_and_changes_nothing(tenant, nothing_written):
    define(tenant)
    event_id = send_event(tenant)

    with nothing_written():
        assert undo(tenant, event_id, is_dry_run=True) == [("streak_tick", 1, None)]


CONDITIONS = st.sampled_from([{"type": "count", "min": 1}, {"type": "count", "min": 2}, SUM, DISTINCT])
RULES = st.fixed_dictionaries(
    {
        "period": st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
        "grace_periods": st.integers(0, 2),
        "reset_on_miss": st.booleans(),
        "condition": CONDITIONS,
    }
)
EVENTS = st.tuples(st.integers(0, 30 * 24), st.sampled_from([1, 2.5, 7, "a", "b"]))


@pytest.mark.django_db
@settings(max_examples=25, deadline=None)
@given(rules=st.lists(RULES, min_size=1, max_size=3), history=st.lists(EVENTS, min_size=2, max_size=12), data=st.data())
def test_after_a_reversal_streaks_are_as_if_the_event_had_never_been_sent(rules, history, data):
    tenant, undisturbed = TenantFactory(), TenantFactory()
    for each in (tenant, undisturbed):
        for number, given_rules in enumerate(rules):
            define(each, f"s{number}", **given_rules)
    place = data.draw(st.integers(0, len(history) - 1))
    recorded = [at for at, _ in history[::3]] if rules[0]["condition"] == {"type": "count", "min": 1} else []

    ids = send_all(tenant, history)
    send_all(undisturbed, history[:place] + history[place + 1 :])
    for each in (tenant, undisturbed):
        for hours in recorded:
            tick(each, NOW - hours * HOUR, "s0")
    answer = undo(tenant, ids[place])

    assert [why for _, _, why in answer if why] == []
    assert statuses(tenant) == statuses(undisturbed)


def send_all(tenant, history):
    events = [EventInput("ada", "login", NOW - hours * HOUR, {"n": value}) for hours, value in history]
    return [each.event_id for each in emit_batch(tenant=fresh(tenant), events=events, refused={}, now=NOW).results]
