"""The engine against a naive oracle that walks through every window, and a table of cases with known answers."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streaks.engine.counting import CarryOver, Rules, State, streak_status
from streaks.engine.runs import contains, with_window
from streaks.engine.ticking import tick
from streaks.engine.windows import CalendarWindows, Period

pytestmark = pytest.mark.engine

DAY = timedelta(days=1)
NOON = datetime(2026, 2, 14, 12, tzinfo=UTC)
DAILY = Rules(CalendarWindows(Period.DAILY))


def recorded(days, rules=DAILY, *, now=NOON):
    """The state and the results after a tick on each of `days`, counted from today."""
    state, answers = State(), []
    for day in days:
        answer = tick(state, rules, at=now + day * DAY, now=now)
        state = answer.state
        answers.append(answer)
    return state, answers


def naive(satisfied, rules, *, now):
    """(current, longest), computed by walking through all windows."""
    chain, missed, longest, today = 0, 0, 0, rules.windows.ordinal(now)
    for number in range(min(satisfied), max(today, *satisfied) + 1):
        if number in satisfied:
            chain, missed = chain + 1, 0
            longest = max(longest, chain)
        elif number < today or number < max(satisfied):
            missed += not rules.windows.is_empty(number)
            if missed > rules.grace and rules.resets:
                chain = 0
    return chain, longest


rules_strategy = st.builds(
    Rules,
    windows=st.builds(
        CalendarWindows,
        period=st.sampled_from([Period.DAILY, Period.WEEKLY, Period.MONTHLY]),
        zone=st.sampled_from(["UTC", "Europe/Berlin", "Pacific/Apia", "America/New_York"]),
    ),
    grace=st.integers(0, 3),
    resets=st.booleans(),
)
nows = st.timedeltas(timedelta(0), timedelta(days=366)).map(lambda age: datetime(2012, 6, 1, tzinfo=UTC) - age)
ages = st.lists(st.timedeltas(timedelta(0), timedelta(days=120)), min_size=1, max_size=40)


@settings(max_examples=1000)
@given(rules=rules_strategy, now=nows, ages=ages)
def test_the_engine_agrees_with_a_walk_through_all_windows(rules, now, ages):
    state = State()
    for age in ages:
        state = tick(state, rules, at=now - age, now=now).state

    standing_now = streak_status(state, rules, now=now)

    satisfied = {rules.windows.ordinal(now - age) for age in ages}
    assert (standing_now.current, standing_now.longest) == naive(satisfied, rules, now=now)


@settings(max_examples=500)
@given(rules=rules_strategy, now=nows, ages=ages, data=st.data())
def test_the_order_and_repetition_of_ticks_do_not_matter(rules, now, ages, data):
    shuffled = data.draw(st.permutations([*ages, *ages[: len(ages) // 2]]))

    def final(order):
        state = State()
        for age in order:
            state = tick(state, rules, at=now - age, now=now).state
        return state

    assert final(ages).runs == final(shuffled).runs


@settings(max_examples=500)
@given(rules=rules_strategy, now=nows, ages=ages)
def test_a_streak_is_alive_until_breaks_at(rules, now, ages):
    state = State()
    for age in ages:
        state = tick(state, rules, at=now - age, now=now).state
    latest = max(now - age for age in ages)

    status = streak_status(state, rules, now=latest)

    assert status.current > 0
    if status.breaks_at is None:
        assert not rules.resets
        return
    assert streak_status(state, rules, now=status.breaks_at - timedelta(microseconds=1)).current == status.current
    assert streak_status(state, rules, now=status.breaks_at).current == 0
    assert streak_status(state, rules, now=status.at_risk_at).is_at_risk
    assert not streak_status(state, rules, now=status.at_risk_at - timedelta(microseconds=1)).is_at_risk


@given(st.lists(st.integers(-30, 30)))
def test_runs_contain_exactly_the_added_windows_and_never_touch(numbers):
    runs = ()
    for number in numbers:
        runs = with_window(runs, number)

    assert {number for number in range(-32, 33) if contains(runs, number)} == set(numbers)
    assert all(a[0] + a[1] < b[0] for a, b in pairwise(runs))


@pytest.mark.parametrize(
    ("days", "counts"),
    [
        ([-2, -1, 0], [1, 2, 3]),
        ([0, 0], [1, 1]),
        ([-10, -9, -8], [1, 2, 3]),  # a history that is sent in order counts up, although its run is broken today
        ([-5, -4, -1, 0], [1, 2, 1, 2]),
        ([-2, 0, -1], [1, 1, 3]),  # a late tick joins two chains
        ([0, -30], [1, 1]),  # an old tick does not change the live chain
    ],
)
def test_the_results_of_recorded_ticks(days, counts):
    _, answers = recorded(days)

    assert [answer.count for answer in answers] == counts


def test_a_second_tick_in_a_window_changes_nothing():
    _, (first, second) = recorded([0, 0])

    assert (first.was_satisfied, first.is_new_record) == (False, True)
    assert (second.was_satisfied, second.is_new_record, second.count, second.after.longest) == (True, False, 1, 1)


def test_a_count_equal_to_the_record_is_no_new_record():
    _, answers = recorded([-9, -8, -2, -1, 0])

    assert [answer.is_new_record for answer in answers] == [True, True, False, False, True]


@pytest.mark.parametrize(("grace", "current"), [(0, 0), (1, 2), (2, 2)])
def test_grace_preserves_a_streak_over_missed_days_without_adding_to_it(grace, current):
    rules = Rules(CalendarWindows(Period.DAILY), grace=grace)
    state, _ = recorded([-3, -2], rules)

    assert streak_status(state, rules, now=NOON).current == current


def test_without_reset_all_satisfied_windows_are_one_streak():
    rules = Rules(CalendarWindows(Period.DAILY), resets=False)
    state, _ = recorded([-100, -50, -1], rules)

    status = streak_status(state, rules, now=NOON)

    assert (status.current, status.longest, status.breaks_at, status.is_at_risk) == (3, 3, None, False)


def test_an_excused_window_breaks_nothing_and_uses_no_grace():
    state, _ = recorded([-4, -3])

    status = streak_status(state, DAILY, now=NOON, spans=[(NOON - 2 * DAY, NOON - DAY)])

    assert status.current == 2
    assert status.breaks_at == datetime(2026, 2, 15, tzinfo=UTC)


def test_a_satisfied_excused_window_counts():
    state, _ = recorded([-2, -1, 0])

    assert streak_status(state, DAILY, now=NOON, spans=[(NOON - DAY, NOON - DAY)]).current == 3


def test_a_lead_longer_than_the_window_does_not_begin_within_the_last_visit():
    rules = Rules(CalendarWindows(Period.DAILY), lead=10 * DAY)
    state, _ = recorded([0], rules)

    status = streak_status(state, rules, now=NOON)

    assert not status.is_at_risk
    assert status.at_risk_at == datetime(2026, 2, 15, tzinfo=UTC)


def test_at_risk_begins_a_sixth_of_the_window_before_the_break():
    state, _ = recorded([-1])

    assert streak_status(state, DAILY, now=NOON).at_risk_at == datetime(2026, 2, 14, 20, tzinfo=UTC)


def test_a_carry_over_continues_and_older_ticks_do_not_change_it():
    today = DAILY.windows.ordinal(NOON)
    state = State(carry_over=CarryOver(count=5, longest=9, last=today - 1))

    late = tick(state, DAILY, at=NOON - 3 * DAY, now=NOON)
    fresh = tick(state, DAILY, at=NOON, now=NOON)

    assert (late.state.runs, late.count, late.was_satisfied, late.is_satisfying) == ((), 5, False, False)
    assert (fresh.count, fresh.after.longest, fresh.is_new_record) == (6, 9, False)


def test_a_carry_over_breaks_like_any_other_run():
    today = DAILY.windows.ordinal(NOON)
    state = State(carry_over=CarryOver(count=5, longest=9, last=today - 1))

    assert streak_status(state, DAILY, now=NOON + DAY).current == 0
    assert streak_status(state, DAILY, now=NOON + DAY).longest == 9
