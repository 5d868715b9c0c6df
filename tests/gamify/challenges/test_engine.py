from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.challenges.engine import (
    Duration,
    Effect,
    Milestone,
    Objective,
    Rules,
    State,
    Term,
    advance,
    should_enrol,
)
from gamify.facts.engine.conditions import Condition, ConditionKind

pytestmark = pytest.mark.engine

DAY = timedelta(days=1)
START = datetime(2026, 2, 14, 10, tzinfo=UTC)
FIXED = Term(Duration.FIXED, starts_at=START, ends_at=START + 7 * DAY)
ROLLING = Term(Duration.ROLLING, lasts=7 * DAY)
PERPETUAL = Term()


def objective(code, kind="count", minimum=1, after=()):
    field = None if kind == "count" else "amount"
    return Objective(code, code.title(), Condition(ConditionKind(kind), Decimal(minimum), field), tuple(after))


BUY = objective("buy", minimum=2)
SPEND = objective("spend", "sum", 100)
REVIEW = objective("review", after=["buy"])
GUIDED = Rules((BUY, SPEND, REVIEW), needed=3, milestones=(Milestone(2),))


def advance_through(rules, *events, enrolled_at=START):
    """The result of each event, given as `(hours after the enrolment, {objective: value})`."""
    state, results = State(enrolled_at), []
    for hours, matched in events:
        results.append(advance(state, rules, matched, at=enrolled_at + timedelta(hours=hours)))
        state = results[-1].state
    return results


def completed_codes(result):
    return [objective.code for objective in result.objectives]


def test_an_objective_is_completed_by_the_event_that_meets_its_condition():
    first, second = advance_through(GUIDED, (0, {"buy": None}), (1, {"buy": None}))

    assert (completed_codes(first), completed_codes(second)) == ([], ["buy"])
    assert [first.state.current(BUY), second.state.current(BUY)] == [1, 2]


def test_one_event_counts_once_for_each_objective_that_it_matches():
    (result,) = advance_through(GUIDED, (0, {"buy": None, "spend": 120}))

    assert completed_codes(result) == ["spend"]
    assert (result.state.current(BUY), result.state.current(SPEND)) == (1, 120)


def test_a_completed_objective_counts_no_more_events():
    *_, result = advance_through(GUIDED, (0, {"spend": 100}), (1, {"spend": 100}))

    assert result.effect is Effect.NO_EFFECT
    assert result.state.current(SPEND) == 100


@pytest.mark.parametrize(
    ("kind", "values", "current"),
    [
        ("count", [None, None], 2),
        ("sum", [0.1, 0.2], 0.3),
        ("sum", [2.5, 2.5], 5),
        ("sum", ["many", None], 0),
        ("distinct", ["a", "b", "a"], 2),
    ],
)
def test_progress_has_the_unit_of_the_condition(kind, values, current):
    wanted = objective("o", kind, 50)

    results = advance_through(Rules((wanted,), needed=1), *[(0, {"o": value}) for value in values])[-1]

    assert results.state.current(wanted) == current


def test_an_objective_does_not_count_the_event_that_completes_its_prerequisite():
    _, both, then = advance_through(
        GUIDED, (0, {"buy": None, "review": None}), (1, {"buy": None, "review": None}), (2, {"review": None})
    )

    assert completed_codes(both) == ["buy"]
    assert completed_codes(then) == ["review"]


def test_a_milestone_is_reached_once():
    results = advance_through(GUIDED, (0, {"buy": None}), (1, {"buy": None, "spend": 100}), (2, {"review": None}))

    assert [[each.objectives for each in event.milestones] for event in results] == [[], [2], []]
    assert [event.is_completed for event in results] == [False, False, True]


def test_one_event_may_reach_several_milestones_and_the_end():
    rules = Rules((objective("a"), objective("b")), needed=2, milestones=(Milestone(1), Milestone(2)))

    (result,) = advance_through(rules, (0, {"a": None, "b": None}))

    assert [each.objectives for each in result.milestones] == [1, 2]
    assert result.is_completed


def test_some_of_the_objectives_may_be_enough():
    rules = replace(GUIDED, needed=1, milestones=())

    (result,) = advance_through(rules, (3, {"spend": 100}))

    assert result.is_completed
    assert result.state.completed_at == START + timedelta(hours=3)


def test_a_completed_challenge_counts_no_more_events():
    rules = Rules((objective("a"),), needed=1)

    _, again = advance_through(rules, (0, {"a": None}), (1, {"a": None}))

    assert again.effect is Effect.ALREADY_COMPLETED
    assert (again.state.completions, again.state.completed_at) == (1, START)


def test_a_lapsed_round_starts_again_and_pays_no_milestone_twice():
    look = objective("look")
    rules = Rules((BUY, look), needed=2, milestones=(Milestone(1),), is_repeatable=True, term=ROLLING)

    results = advance_through(rules, *[(hours, {"buy": None}) for hours in (0, 1, 200, 201)], (202, {"look": None}))

    assert [len(each.milestones) for each in results] == [0, 1, 0, 0, 0]
    assert [each.is_completed for each in results] == [False, False, False, False, True]
    assert results[2].state.enrolled_at == START + timedelta(hours=200)
    assert results[-1].state.completions == 1


def test_a_challenge_that_is_not_repeatable_ends_with_its_term():
    rules = Rules((BUY,), needed=1, term=ROLLING)

    [late] = advance_through(rules, (200, {"buy": None}))

    assert late.effect is Effect.OUT_OF_SCHEDULE


def test_a_repeatable_challenge_starts_a_new_round_with_the_next_event():
    rules = Rules((BUY,), needed=1, milestones=(Milestone(1),), is_repeatable=True)

    results = advance_through(rules, *[(hour, {"buy": None}) for hour in range(4)])

    assert [event.state.round for event in results] == [1, 1, 2, 2]
    assert [event.state.is_completed for event in results] == [False, True, False, True]
    assert [len(event.milestones) for event in results] == [0, 1, 0, 1]
    assert results[-1].state.completions == 2


def test_every_round_of_a_rolling_challenge_has_its_own_term():
    rules = Rules((BUY,), needed=1, is_repeatable=True, term=ROLLING)
    late, next_week, after_that = -1, 8 * 24, 15 * 24

    results = advance_through(
        rules, *[(hour, {"buy": None}) for hour in (0, 1, late, 0, next_week, next_week + 1, after_that)]
    )

    week = START + timedelta(hours=next_week)
    assert [event.effect for event in results[2:4]] == [Effect.OUT_OF_SCHEDULE] * 2
    assert [event.state.completions for event in results] == [0, 1, 1, 1, 1, 2, 2]
    assert [event.state.enrolled_at for event in results[3:6]] == [START, week, week]
    assert results[-1].state.enrolled_at == START + timedelta(hours=after_that)


def test_an_event_that_matches_no_open_objective_starts_no_round():
    rules = replace(GUIDED, needed=1, milestones=(), is_repeatable=True)

    _, _, result = advance_through(rules, (0, {"buy": None}), (1, {"buy": None}), (2, {"review": None}))

    assert result.effect is Effect.NO_EFFECT
    assert (result.state.round, result.state.is_completed) == (1, True)


def test_when_fewer_objectives_are_needed_the_next_event_completes():
    (result,) = advance_through(GUIDED, (0, {"spend": 100}))

    result = advance(result.state, replace(GUIDED, needed=1), {"spend": 1}, at=START + DAY)

    assert result.is_completed
    assert completed_codes(result) == []


@pytest.mark.parametrize(
    ("term", "enrolled", "at", "counts"),
    [
        (PERPETUAL, 0, 0, True),
        (PERPETUAL, 0, -1, False),
        (PERPETUAL, 0, 10_000, True),
        (FIXED, 0, 0, True),
        (FIXED, -5, -1, False),  # enrolled before it starts
        (FIXED, 24, 23, False),
        (FIXED, 24, 7 * 24 - 1, True),
        (FIXED, 24, 7 * 24, False),  # the end is not part of it
        (ROLLING, 24, 23, False),
        (ROLLING, 24, 24, True),
        (ROLLING, 24, 8 * 24 - 1, True),
        (ROLLING, 24, 8 * 24, False),
    ],
)
def test_events_count_from_the_enrolment_to_the_end(term, enrolled, at, counts):
    rules = replace(GUIDED, term=term)
    enrolled_at, at = START + timedelta(hours=enrolled), START + timedelta(hours=at)

    result = advance(State(enrolled_at), rules, {"buy": None}, at=at)

    assert (result.effect is Effect.COUNTED) == counts
    assert (result.effect is Effect.OUT_OF_SCHEDULE) != counts


@pytest.mark.parametrize(
    ("term", "end"), [(FIXED, START + 7 * DAY), (ROLLING, START + 8 * DAY), (PERPETUAL, None)], ids=str
)
def test_when_an_enrolment_ends(term, end):
    assert term.end_of(START + DAY) == end


@pytest.mark.parametrize(
    ("matched", "hours", "begins"),
    [
        ({"buy": None}, 0, True),
        ({"review": None}, 0, False),  # waits for another
        ({}, 0, False),
        ({"buy": None}, -1, False),
        ({"buy": None}, 7 * 24, False),
    ],
)
def test_the_first_event_that_matches_an_open_objective_enrols(matched, hours, begins):
    rules = replace(GUIDED, term=FIXED)

    assert should_enrol(rules, matched, at=START + timedelta(hours=hours)) == begins


# --- against a recount ------------------------------------------------------------------------------------------------

CODES = "abcde"


@st.composite
def challenges(draw):
    kinds = draw(st.lists(st.sampled_from(["count", "sum", "distinct"]), min_size=1, max_size=5))
    objectives = [
        objective(code, kind, draw(st.integers(1, 4)), draw(st.sets(st.sampled_from(CODES[:index]))) if index else ())
        for index, (code, kind) in enumerate(zip(CODES, kinds, strict=False))
    ]
    needed = draw(st.integers(1, len(objectives)))
    milestones = tuple(map(Milestone, sorted(draw(st.sets(st.integers(1, needed))))))
    return Rules(tuple(objectives), needed, milestones, draw(st.booleans()), Term(Duration.ROLLING, lasts=DAY))


EVENTS = st.lists(
    st.tuples(st.integers(-2, 60), st.dictionaries(st.sampled_from(CODES), st.integers(1, 4), max_size=3)), max_size=40
)


def is_met(objective, values):
    kind, wanted = objective.condition.kind, objective.condition.minimum
    return {ConditionKind.COUNT: len(values), ConditionKind.SUM: sum(values), ConditionKind.DISTINCT: len(set(values))}[
        kind
    ] >= wanted


def done_in(rules, book):
    return {each.code for each in rules.objectives if is_met(each, book.get(each.code, []))}


def recount(rules, events):
    """The completed objectives and the round of each attempt.

    An attempt is a list of the values that its objectives matched. The completed objectives are computed again for each
    event.
    """
    attempts, numbers, begun, over = [{}], [1], 0, 0
    for hours, matched in events:
        is_over = len(done_in(rules, attempts[-1])) >= rules.needed
        has_lapsed = rules.is_repeatable and not is_over and hours >= begun + 24
        new = new_in(rules, {} if is_over or has_lapsed else attempts[-1], matched)
        if not new or not (has_lapsed or is_in_time(rules, hours, begun=begun, over=over if is_over else None)):
            continue
        if is_over or has_lapsed:
            attempts.append({})
            numbers.append(numbers[-1] + is_over)
            begun = hours
        for code in new:
            attempts[-1].setdefault(code, []).append(matched[code])
        over = hours
    return [done_in(rules, book) for book in attempts], numbers


def new_in(rules, book, matched):
    """The codes of the objectives that count an event, by what was completed before it."""
    before = done_in(rules, book)
    waiting = [each for each in rules.objectives if each.code in matched and each.code not in before]
    return [each.code for each in waiting if before.issuperset(each.prerequisites)]


def is_in_time(rules, hours, *, begun, over):
    """Whether the event is in the term of the round under way. After a completed round the next one may start at any time."""
    return begun <= hours < begun + 24 if over is None else rules.is_repeatable and hours >= over


@settings(max_examples=400, derandomize=True, deadline=None)
@given(challenges(), EVENTS)
def test_any_history_agrees_with_a_recount(rules, events):
    events = [
        (hours, {code: matched[code] for code in matched if code in CODES[: len(rules.objectives)]})
        for hours, matched in events
    ]

    results = advance_through(rules, *events)

    rounds, numbers = recount(rules, events)
    state = results[-1].state if results else State(START)
    assert set(state.done) == rounds[-1]
    assert state.completions == sum(len(done) >= rules.needed for done in rounds)
    assert sum(event.is_completed for event in results) == state.completions
    assert sum(len(event.objectives) for event in results) == sum(map(len, rounds))
    reached = [
        (number, each.objectives)
        for done, number in zip(rounds, numbers, strict=True)
        for each in rules.milestones
        if each.objectives <= len(done)
    ]
    paid = [each.objectives for event in results for each in event.milestones]
    assert paid == [objectives for _, objectives in dict.fromkeys(reached)]
