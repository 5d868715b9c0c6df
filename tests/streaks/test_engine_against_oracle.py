"""The engine against an oracle that stores every tick and walks through all windows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gamify.facts.engine.conditions import NO_PROGRESS, Condition, ConditionKind
from streaks.engine import carrying
from streaks.engine.calendar import calendar_entries
from streaks.engine.care import reviving_span
from streaks.engine.carrying import carry_over
from streaks.engine.counting import Rules, State, streak_status, windows_of
from streaks.engine.milestones import Milestone, due_milestones, earned_thresholds, next_threshold, with_payments
from streaks.engine.rolling import Rolling
from streaks.engine.ticking import tick
from streaks.engine.windows import CalendarWindows, Period
from streaks.engine.zoned import windows_across_zones
from tests.streaks import oracle
from tests.streaks.oracle import Book, Calendar, RollingBook, Status, Tick, Wanted

pytestmark = pytest.mark.engine

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def examples(number):
    """Settings for `number` examples: the same ones in every run, and without a deadline."""
    return settings(max_examples=number, derandomize=True, deadline=None)


# --- histories ---------------------------------------------------------------------------------------------------------

UNITS = {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY, "monthly": 30 * DAY}
RESETS = [timedelta(0), 30 * MINUTE, 2 * HOUR, 150 * MINUTE, 4 * HOUR, DAY - MINUTE]

# Zones, each with an instant at which its clocks do something unusual.
SCENES = [
    ("UTC", datetime(2026, 2, 28, 23, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("America/New_York", datetime(2024, 2, 29, 12, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # this day did not exist
    ("Africa/Cairo", datetime(2023, 4, 27, 22, tzinfo=UTC)),  # midnight is skipped
    ("Africa/Cairo", datetime(2014, 9, 25, 21, tzinfo=UTC)),  # midnight happens twice
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # by half an hour
    ("Asia/Kathmandu", datetime(2021, 1, 3, 18, 15, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
    ("Asia/Beirut", datetime(2022, 3, 26, 22, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 4, 5, 3, tzinfo=UTC)),
]


@st.composite
def calendars(draw, periods=tuple(UNITS)):
    """(calendar, an instant near which its clocks do something unusual)"""
    zone, happens = draw(st.sampled_from(SCENES))
    period = draw(st.sampled_from(periods))
    reset = draw(st.sampled_from(RESETS)) % (HOUR if period == "hourly" else DAY)
    week_start = draw(st.integers(0, 6)) if period == "weekly" else 0
    return Calendar(period, ((zone, None),), reset, week_start), happens


@st.composite
def instants(draw, calendar, about, *, back, ahead=0):
    """An instant from `back` windows before `about` to `ahead` windows after it. Sometimes it is at the edge of a window."""
    unit = UNITS[calendar.period]
    at = about + draw(st.integers(-back, ahead)) * unit - draw(st.integers(0, 12)) * unit / 13
    edge = draw(st.sampled_from([None, None, -INSTANT, timedelta(0), INSTANT]))
    if edge is None:
        return at
    return min([start for start, _ in calendar.pieces(calendar.window_at(at))], default=at) + edge


def spans(calendar, about):
    """Excused times: past ones, future ones, some without a length and some without an end."""
    unit = UNITS[calendar.period]
    lengths = st.none() | st.integers(0, 60).map(lambda tenths: tenths * unit / 10)
    begins = instants(calendar, about, back=20, ahead=3)
    span = st.tuples(begins, lengths).map(lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1]))
    return st.lists(span, max_size=3)


ANY_TICK, MOSTLY = st.just(Wanted()), st.sampled_from([True, True, True, False])


@st.composite
def books(draw, *, wanted=ANY_TICK, most=14, travels=False, resets=MOSTLY):
    """(book, now): a history with ticks in random order."""
    calendar, happens = draw(calendars())
    now = draw(instants(calendar, happens, back=0, ahead=12))
    if travels:
        calendar = replace(calendar, zones=draw(journeys(calendar, now)))
    ticks = st.builds(Tick, instants(calendar, now, back=16).filter(lambda at: at <= now), values)
    book = Book(
        calendar,
        draw(st.lists(ticks, min_size=1, max_size=most)),
        grace=draw(st.integers(0, 3)),
        resets=draw(resets),
        lead=draw(st.none() | st.sampled_from([timedelta(0), MINUTE, UNITS[calendar.period] / 2, 3 * DAY])),
        wanted=draw(wanted),
        spans=draw(st.just([]) | spans(calendar, now)),
    )
    return book, now


@st.composite
def journeys(draw, calendar, now):
    """The zones of a participant who moved up to three times."""
    moves = draw(st.lists(instants(calendar, now, back=14), max_size=3, unique=True))
    zones = [
        draw(st.sampled_from([zone for zone, _ in SCENES] + ["Pacific/Kiritimati"])) for _ in range(len(moves) + 1)
    ]
    return tuple(zip(zones, [*sorted(moves), None], strict=True))


values = st.none() | st.sampled_from([0, 1, 2, 0.1, 0.2, -5, True, "a", "b", ["a"]])
some_ticks = st.builds(Wanted, st.just("count"), st.integers(1, 3))
sums = st.builds(Wanted, st.just("sum"), st.integers(1, 3))
different_ones = st.builds(Wanted, st.just("distinct"), st.integers(1, 3))


# --- conversion from the oracle to the engine ---------------------------------------------------------------------------


def rules_of(book):
    return Rules(
        windows=windows_in(book.calendar),
        grace=book.grace,
        resets=book.resets,
        lead=book.lead,
        condition=condition_of(book.wanted),
    )


def windows_in(calendar):
    period, reset, week_start = Period(calendar.period), calendar.reset, calendar.week_start
    return windows_across_zones(
        [(CalendarWindows(period, zone, reset, week_start), until) for zone, until in calendar.zones]
    )


def condition_of(wanted):
    return Condition(ConditionKind(wanted.kind), Decimal(wanted.minimum), None if wanted.kind == "count" else "field")


NEWCOMER = State()


def counted(book, *, now, state=NEWCOMER, ticks=None, rules=None):
    """The state after the book's ticks, in the order of their arrival."""
    for each in book.ticks if ticks is None else ticks:
        state = tick(state, rules or rules_of(book), at=each.at, now=now, value=each.value, spans=book.spans).state
    return state


def status_by_engine(state, book, *, now, rules=None):
    rules = rules or rules_of(book)
    found, windows = streak_status(state, rules, now=now, spans=book.spans), windows_of(state, rules)
    key = None if found.window is None else windows.key(found.window)
    return Status(
        found.current, found.longest, key, found.is_satisfied, found.is_at_risk, found.breaks_at, found.at_risk_at
    )


def numbers_of(state):
    """The satisfied windows."""
    return [number for first, length in state.runs for number in range(first, first + length)]


# --- status ------------------------------------------------------------------------------------------------------------


@examples(700)
@given(books())
def test_the_status_agrees_with_the_oracle(history):
    book, now = history

    state = counted(book, now=now)

    assert status_by_engine(state, book, now=now) == oracle.status_at(book, now=now)


@examples(300)
@given(books(), st.data())
def test_the_status_at_later_instants_agrees_with_the_oracle(history, data):
    book, now = history
    state = counted(book, now=now)

    later = data.draw(instants(book.calendar, now, back=0, ahead=8).filter(lambda at: at >= now))

    assert status_by_engine(state, book, now=later) == oracle.status_at(book, now=later)


@examples(300)
@given(books(most=8), st.data())
def test_order_repetition_and_batches_of_ticks_do_not_matter(history, data):
    book, now = history
    again = data.draw(st.lists(st.sampled_from(book.ticks), max_size=6))
    shuffled = data.draw(st.permutations([*book.ticks, *again]))
    cut = data.draw(st.integers(0, len(shuffled)))

    in_order = counted(book, ticks=sorted(book.ticks, key=lambda each: each.at), now=now)
    first_batch = counted(book, ticks=shuffled[:cut], now=shuffled[0].at)
    in_batches = counted(book, state=first_batch, ticks=shuffled[cut:], now=now)

    assert (in_batches.runs, in_batches.last_at) == (in_order.runs, in_order.last_at)
    assert status_by_engine(in_batches, book, now=now) == oracle.status_at(book, now=now)


@examples(300)
@given(books())
def test_a_streak_is_alive_until_breaks_at_and_at_risk_from_at_risk_at(history):
    book, now = history
    state, rules = counted(book, now=now), rules_of(book)
    status = streak_status(state, rules, now=now, spans=book.spans)
    assume(status.breaks_at)

    def at(instant):
        return streak_status(state, rules, now=instant, spans=book.spans)

    assert at(status.breaks_at - INSTANT).current == status.current
    assert at(status.breaks_at).current == 0
    if status.at_risk_at is None:  # the lead is zero
        assert not at(status.breaks_at - INSTANT).is_at_risk
        return
    if status.at_risk_at < status.breaks_at:
        assert at(status.at_risk_at).is_at_risk
        assert at(status.breaks_at - INSTANT).is_at_risk
    assert not at(status.at_risk_at - INSTANT).is_at_risk


# --- conditions --------------------------------------------------------------------------------------------------------


def shown(state, book, *, now):
    progress = state.progress.get(rules_of(book).windows.ordinal(now), NO_PROGRESS)
    return progress.count, progress.total, list(progress.distinct)


@examples(500)
@given(books(wanted=some_ticks | sums | different_ones, most=20))
def test_every_condition_ignores_ticks_that_were_too_late(history):
    book, now = history

    state = counted(book, now=now)

    assert status_by_engine(state, book, now=now) == oracle.status_at(book, now=now)
    here = oracle.by_window(book).get(book.calendar.window_at(now), [])
    assert shown(state, book, now=now) == book.wanted.shown(here)


@examples(300)
@given(books(wanted=some_ticks | sums | different_ones, most=20), st.data())
def test_within_35_days_the_order_of_ticks_does_not_matter_for_any_condition(history, data):
    book, now = history
    newest = max(each.at for each in book.ticks)
    young = [each for each in book.ticks if each.at >= newest - oracle.MAX_LATENESS]

    in_order = counted(book, ticks=sorted(young, key=lambda each: each.at), now=now)
    shuffled = counted(book, ticks=data.draw(st.permutations(young)), now=now)

    assert shuffled.runs == in_order.runs
    assert shown(shuffled, book, now=now) == shown(in_order, book, now=now)


# --- record ------------------------------------------------------------------------------------------------------------


@examples(300)
@given(books(wanted=some_ticks, most=10), st.booleans())
def test_the_result_of_each_recorded_tick_agrees_with_the_oracle(history, is_in_order):
    book, now = history
    ticks = sorted(book.ticks, key=lambda each: each.at) if is_in_order else book.ticks
    state, rules, so_far = State(), rules_of(book), replace(book, ticks=[])

    for each in ticks:
        answer = tick(state, rules, at=each.at, now=now, adds_to_satisfied=False, spans=book.spans)
        state, window = answer.state, book.calendar.window_at(each.at)
        was_satisfied, before = window in oracle.satisfied(so_far), oracle.status_at(so_far, now=now)
        so_far = replace(so_far, ticks=[*so_far.ticks, each])
        new_count = oracle.status_at(so_far, now=now).current or length_with(so_far, window)
        assert (answer.count, answer.was_satisfied) == (new_count, was_satisfied)
        assert answer.is_satisfying == (not was_satisfied and window in oracle.satisfied(so_far))
        assert answer.is_new_record == (new_count > before.longest)
        assert answer.after.longest == oracle.status_at(so_far, now=now).longest


def length_with(book, window):
    return next((sum(run.values()) for run in oracle.runs(book) if window in run), 0)


def test_repeated_records_do_not_advance_a_window_that_is_satisfied_but_events_do():
    book = Book(Calendar("daily"), [Tick(datetime(2026, 2, 14, 9, tzinfo=UTC))] * 9, wanted=Wanted("count", 4))
    now, recorded = book.ticks[0].at, State()

    for each in book.ticks:
        recorded = tick(recorded, rules_of(book), at=each.at, now=now, adds_to_satisfied=False).state

    assert shown(recorded, book, now=now) == (4, Decimal(0), [])
    assert shown(counted(book, now=now), book, now=now) == (9, Decimal(0), [])


# --- excuses -----------------------------------------------------------------------------------------------------------


@examples(150)
@given(books(), st.data())
def test_a_withdrawn_excuse_has_no_lasting_effect(history, data):
    book, now = history
    excused = replace(book, spans=[*book.spans, *data.draw(spans(book.calendar, now))])
    half = len(book.ticks) // 2

    meanwhile = counted(excused, ticks=book.ticks[:half], now=now)
    state = counted(book, state=meanwhile, ticks=book.ticks[half:], now=now)

    assert state == counted(book, now=now)
    assert status_by_engine(state, excused, now=now) == oracle.status_at(excused, now=now)


@examples(250)
@given(books(resets=st.just(True), most=10))
def test_the_reviving_span_excuses_exactly_the_windows_missed_since_the_break(history):
    book, now = history
    state, rules = counted(book, now=now), rules_of(book)
    runs, is_alive = oracle.runs(book), bool(oracle.status_at(book, now=now).current)

    span = reviving_span(state, rules, now=now, spans=book.spans)

    if is_alive and len(runs) == 1:
        assert span is None
        return
    broken, resumed = (runs[-2], min(runs[-1])) if is_alive else (runs[-1], book.calendar.window_at(now))
    restored = replace(book, spans=[*book.spans, span])
    alive = sum(broken.values()) + (sum(runs[-1].values()) if is_alive else 0)
    assert status_by_engine(state, restored, now=now) == oracle.status_at(restored, now=now)
    assert oracle.status_at(restored, now=now).current >= alive  # more, if the excuse joined earlier runs too
    between = [window for window in book.calendar.from_to(max(broken), resumed) if max(broken) < window < resumed]
    excused = {
        window for window in around(book, broken, resumed) if oracle.is_excused(replace(book, spans=[span]), window)
    }
    assert excused == {window for window in between if book.calendar.pieces(window)}


def around(book, broken, resumed):
    return book.calendar.from_to(book.calendar.previous(min(broken)), book.calendar.next(resumed))


# --- the calendar ------------------------------------------------------------------------------------------------------


@examples(300)
@given(books(most=10))
def test_the_calendar_agrees_with_the_oracle(history):
    book, now = history
    state, rules = counted(book, now=now), rules_of(book)
    first, last = min(each.at for each in book.ticks) - UNITS[book.calendar.period], now + UNITS[book.calendar.period]

    found = calendar_entries(
        state, rules, first=rules.windows.ordinal(first), last=rules.windows.ordinal(last), now=now, spans=book.spans
    )

    walked = book.calendar.from_to(book.calendar.window_at(first), book.calendar.window_at(last))
    actual = [(day.key, day.start, day.end, day.is_satisfied, day.is_excused, day.is_grace, day.count) for day in found]
    assert actual == [line(book, window, now) for window in walked if book.calendar.pieces(window)]


def line(book, window, now):
    """The expected calendar entry of one window."""
    [(start, end)] = book.calendar.pieces(window)
    is_satisfied, is_excused = window in oracle.satisfied(book), oracle.is_excused(book, window)
    run = run_over(book, window, now) if start <= now or is_satisfied else {}
    length = sum(weight for earlier, weight in run.items() if earlier <= window)
    is_missed = bool(run) and (end <= now or window < max(run)) and not is_satisfied and not is_excused
    return book.calendar.key(window), start, end, is_satisfied, is_excused, is_missed, length


def run_over(book, window, now):
    """The run that contains the window, or the live run if it ended before that window."""
    runs = oracle.runs(book)
    if runs and oracle.status_at(book, now=now).current and window > max(runs[-1]):
        return runs[-1]
    return next((run for run in runs if min(run) <= window <= max(run)), {})


# --- changes of the rules ----------------------------------------------------------------------------------------------


@st.composite
def changing(draw, *, changes):
    """(books, instants of changes, now): one book per set of rules, with the ticks that arrived under these rules."""
    calendar, happens = draw(calendars())
    unit = UNITS[calendar.period]
    now = draw(instants(calendar, happens, back=0, ahead=12))
    until = sorted(now - draw(st.integers(1, 80)) * unit / 10 for _ in range(changes))
    excused = draw(spans(calendar, now))
    found = []
    for since, end in pairwise([now - 20 * unit, *until, now + INSTANT]):
        here, _ = draw(calendars())
        calendar = replace(here, zones=draw(st.sampled_from([calendar.zones, here.zones])))
        span = (end - since) / 12
        ticks = st.integers(0, 11).map(lambda part, since=since, span=span: Tick(since + part * span))
        found.append(
            Book(
                calendar,
                draw(st.lists(ticks, max_size=12)),
                grace=draw(st.integers(0, 2)),
                resets=draw(st.sampled_from([True, True, False])),
                wanted=draw(some_ticks),
                spans=excused,
            )
        )
    return found, until, now


@examples(400)
@given(st.integers(1, 2).flatmap(lambda number: changing(changes=number)), st.data())
def test_a_live_count_continues_under_new_rules_and_a_broken_one_does_not(history, data):
    books, changes, now = history
    book, state = books[0], counted(books[0], now=now)

    for new, at in zip(books[1:], changes, strict=True):
        late = [
            Tick(at - UNITS[new.calendar.period] * number / 3) for number in data.draw(st.lists(st.integers(1, 60)))
        ]
        state = carry_over(state, rules_of(book), rules_of(new), at=at, spans=book.spans)
        after = oracle.after_change(book, new, at=at)
        assert status_by_engine(state, after, now=at) == oracle.status_at(after, now=at)
        arrived = data.draw(st.permutations([*new.ticks, *late]))
        book = replace(after, ticks=[*after.ticks, *arrived])
        state = counted(new, state=state, ticks=arrived, now=now)

    assert status_by_engine(state, book, now=now) == oracle.status_at(book, now=now)


# --- rolling windows ---------------------------------------------------------------------------------------------------


@st.composite
def rolling_books(draw, *, with_spans=True):
    """(book, now): ticks in order."""
    length = draw(st.sampled_from([HOUR, 7 * HOUR, DAY, 30 * DAY]))
    begin = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    gaps = draw(st.lists(st.integers(0, 40).map(lambda tenths: tenths * length / 10), max_size=12))
    ats = [begin + sum(gaps[: number + 1], timedelta(0)) for number in range(len(gaps))]
    lengths = st.none() | st.integers(0, 30).map(lambda tenths: tenths * length / 10)
    begins = st.integers(-20, 300).map(lambda tenths: begin + tenths * length / 10)
    excused = st.lists(st.tuples(begins, lengths), max_size=2) if with_spans else st.just([])
    rules = Book(
        Calendar("daily"),
        [Tick(at) for at in ats],
        grace=draw(st.integers(0, 2)),
        resets=draw(st.sampled_from([True, True, True, False])),
        wanted=draw(st.just(Wanted()) | some_ticks),
        spans=[(at, None if lasts is None else at + lasts) for at, lasts in draw(excused)],
    )
    return RollingBook(length, rules), (ats or [begin])[-1] + draw(st.integers(0, 50)) * length / 10


@examples(500)
@given(rolling_books())
def test_rolling_windows_agree_with_the_oracle(history):
    book, now = history
    rules = replace(rules_of(book.rules), windows=Rolling(book.length))
    state, so_far = State(), replace(book, rules=replace(book.rules, ticks=[]))

    for each in book.rules.ticks:
        state = tick(state, rules, at=each.at, now=each.at, spans=book.rules.spans).state
        so_far = replace(so_far, rules=replace(so_far.rules, ticks=[*so_far.rules.ticks, each]))
        assert status_by_engine(state, so_far.rules, now=each.at, rules=rules) == oracle.rolling_status_at(
            so_far, now=each.at
        )

    assert status_by_engine(state, book.rules, now=now, rules=rules) == oracle.rolling_status_at(book, now=now)


@examples(250)
@given(books(wanted=ANY_TICK | some_ticks), rolling_books(with_spans=False), st.integers(0, 60))
def test_a_count_is_carried_over_from_a_calendar_to_rolling_windows(history, rolling, tenths):
    (book, at), (new, _) = history, rolling
    book = replace(book, spans=[])
    moved = at - new.rules.ticks[0].at if new.rules.ticks else timedelta(0)
    ticks = [replace(each, at=each.at + moved + tenths * new.length / 20) for each in new.rules.ticks]
    new, rules = replace(new, rules=replace(new.rules, ticks=ticks)), rules_of_rolling(new)

    state = carry_over(counted(book, now=at), rules_of(book), rules, at=at)
    so_far = oracle.rolling_after_change(book, replace(new, rules=replace(new.rules, ticks=[])), at=at)

    assert status_by_engine(state, new.rules, now=at, rules=rules) == oracle.rolling_status_at(so_far, now=at)
    for each in ticks:
        state = tick(state, rules, at=each.at, now=each.at).state
        so_far = replace(so_far, rules=replace(so_far.rules, ticks=[*so_far.rules.ticks, each]))
        assert status_by_engine(state, new.rules, now=each.at, rules=rules) == oracle.rolling_status_at(
            so_far, now=each.at
        )
    later = (ticks[-1].at if ticks else at) + tenths * new.length / 10
    assert status_by_engine(state, new.rules, now=later, rules=rules) == oracle.rolling_status_at(so_far, now=later)


@examples(250)
@given(rolling_books(with_spans=False), calendars(), st.data())
def test_a_count_is_carried_over_from_rolling_windows_to_a_calendar(history, scene, data):
    (old, at), (calendar, _) = history, scene
    state, rules = State(), rules_of_rolling(old)
    for each in old.rules.ticks:
        state = tick(state, rules, at=each.at, now=each.at).state
    new = Book(calendar, grace=data.draw(st.integers(0, 2)), wanted=data.draw(ANY_TICK | some_ticks))

    state = carry_over(state, rules, rules_of(new), at=at)
    book = oracle.after_change_of_rolling(old, new, at=at)
    assert status_by_engine(state, book, now=at) == oracle.status_at(book, now=at)

    unit = UNITS[calendar.period]
    ticks = data.draw(st.lists(st.integers(0, 80).map(lambda tenths: Tick(at + tenths * unit / 10)), max_size=10))
    state, now = counted(new, state=state, ticks=ticks, now=at), at + data.draw(st.integers(0, 100)) * unit / 10
    book = replace(book, ticks=ticks)
    assert status_by_engine(state, book, now=now) == oracle.status_at(book, now=now)


def rules_of_rolling(book):
    return replace(rules_of(book.rules), windows=Rolling(book.length))


def test_an_excuse_that_covers_no_missed_window_does_not_join_rolling_runs():
    opened = datetime(2026, 2, 14, tzinfo=UTC)
    rules = Rules(windows=Rolling(HOUR))
    spans = [
        (opened + 130 * MINUTE, None)
    ]  # ten minutes after the break; within an hour of the tick that opens new windows

    state = tick(State(), rules, at=opened, now=opened, spans=spans).state
    second = tick(state, rules, at=opened + 150 * MINUTE, now=opened + 150 * MINUTE, spans=spans)

    assert (second.before.current, second.after.current, second.after.longest) == (0, 1, 1)
    windows = windows_of(second.state, rules)
    assert [windows.key(number) for number, _ in second.state.runs] == ["2026-02-14T00:00:00Z", "2026-02-14T02:30:00Z"]


@pytest.mark.parametrize("is_excused_late", [False, True])
def test_an_excuse_for_all_missed_rolling_windows_revives_the_run_although_a_new_one_began(is_excused_late):
    opened, rules = datetime(2026, 2, 14, tzinfo=UTC), Rules(windows=Rolling(DAY))
    back, spans = opened + 2 * DAY + 6 * HOUR, [(opened + DAY, opened + 2 * DAY)]

    state = State()
    for at in (opened, back):
        state = tick(state, rules, at=at, now=at, spans=[] if is_excused_late else spans).state

    assert streak_status(state, rules, now=back, spans=spans).current == 2


def test_rolling_windows_without_a_satisfied_one_are_dropped():
    opened, now = datetime(2026, 2, 14, tzinfo=UTC), datetime(2026, 3, 14, tzinfo=UTC)
    rules = Rules(windows=Rolling(HOUR), condition=Condition(ConditionKind.COUNT, Decimal(2)))

    state = State()
    for day in range(10):
        state = tick(state, rules, at=opened + day * DAY, now=now).state

    assert (state.anchor.at, state.anchor.earlier, len(state.progress)) == (opened + 9 * DAY, (), 1)


# --- participants who travel -------------------------------------------------------------------------------------------


@examples(400)
@given(books(travels=True))
def test_windows_of_a_travelling_participant_are_local_dates(history):
    book, now = history

    state = counted(book, now=now)

    assert status_by_engine(state, book, now=now) == oracle.status_at(book, now=now)


@examples(200)
@given(books(travels=True, most=1), st.data())
def test_every_instant_of_a_journey_is_in_exactly_one_window(history, data):
    book, now = history
    windows = windows_in(book.calendar)
    at = data.draw(instants(book.calendar, now, back=16))

    number, window = windows.ordinal(at), book.calendar.window_at(at)

    assert windows.key(number) == book.calendar.key(window)
    assert windows.start(number) <= at < windows.end(number)
    for other in range(number - 3, number + 4):
        assert windows.start(other) <= windows.end(other)
        assert windows.is_empty(other) == (windows.start(other) == windows.end(other))
    assert sum(start <= at < end for start, end in book.calendar.pieces(window)) == 1


# --- milestones --------------------------------------------------------------------------------------------------------

MILESTONES = [
    Milestone(1),
    Milestone(2, "cup", is_repeatable=True),
    Milestone(3),
    Milestone(4, "crown", is_repeatable=True),
]


@examples(300)
@given(books(most=12))
def test_milestones_are_paid_once_ever_or_once_in_each_run_whatever_the_order(history):
    book, now = history
    state, rules, so_far, paid = State(), rules_of(book), replace(book, ticks=[]), []

    for each in book.ticks:
        answer = tick(state, rules, at=each.at, now=now, spans=book.spans)
        so_far, window = replace(so_far, ticks=[*so_far.ticks, each]), book.calendar.window_at(each.at)
        reached = due_milestones(MILESTONES, answer.chain, answer.state.paid) if answer.is_satisfying else []
        owed = [milestone for milestone in MILESTONES if is_owed(milestone, so_far, window, paid)]
        assert reached == owed
        state = (
            replace(answer.state, paid=with_payments(answer.state.paid, reached, answer.chain))
            if reached
            else answer.state
        )
        paid += [(milestone.threshold, window) for milestone in reached]

    check_unlocked(state, rules, book, paid, now=now)


def is_owed(milestone, book, window, paid):
    """Whether the run with `window` has reached the milestone and it is not paid: by that run if repeatable, else by any run."""
    run = next(run for run in oracle.runs(book) if window in run)
    those = [at for threshold, at in paid if threshold == milestone.threshold]
    before = any(at in run for at in those) if milestone.is_repeatable else bool(those)
    return sum(run.values()) >= milestone.threshold and not before


def check_unlocked(state, rules, book, paid, *, now):
    alive = streak_status(state, rules, now=now, spans=book.spans).alive
    run = oracle.runs(book)[-1] if oracle.status_at(book, now=now).current else {}
    unlocked = [
        milestone.threshold
        for milestone in MILESTONES
        if any(
            threshold == milestone.threshold and (at in run or not milestone.is_repeatable) for threshold, at in paid
        )
    ]
    assert earned_thresholds(MILESTONES, alive, state.paid) == unlocked
    assert next_threshold(MILESTONES, alive, state.paid) == next((m for m in [1, 2, 3, 4] if m not in unlocked), None)


# --- very long histories -----------------------------------------------------------------------------------------------


@examples(200)
@given(books(most=30))
def test_a_compacted_history_has_the_same_status_as_the_full_one(history):
    book, now = history
    ticks, rules = sorted(book.ticks, key=lambda each: each.at), rules_of(book)
    whole = short = State()

    with pytest.MonkeyPatch.context() as patch:
        for each in ticks:
            patch.setattr(carrying, "MAX_RUNS", 1_000)
            full = tick(whole, rules, at=each.at, now=each.at, spans=book.spans)
            patch.setattr(carrying, "MAX_RUNS", 4)
            brief = tick(short, rules, at=each.at, now=each.at, spans=book.spans)
            assert status_by_engine(brief.state, book, now=each.at) == status_by_engine(full.state, book, now=each.at)
            assert (brief.count, brief.is_satisfying) == (full.count, full.is_satisfying)
            whole, full_reached = paid_in(full)
            short, brief_reached = paid_in(brief)
            assert brief_reached == full_reached

    assert len(short.runs) <= 4
    assert status_by_engine(short, book, now=now) == oracle.status_at(book, now=now)


def paid_in(answer):
    reached = due_milestones(MILESTONES, answer.chain, answer.state.paid) if answer.is_satisfying else []
    return (
        replace(answer.state, paid=with_payments(answer.state.paid, reached, answer.chain)) if reached else answer.state
    ), reached
