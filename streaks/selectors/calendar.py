"""A participant's windows between two dates, for calendars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from participants.errors import InvalidInput
from participants.models import Participant
from streaks.engine.calendar import CalendarEntry, calendar_entries
from streaks.engine.counting import Rules, State, streak_status, windows_of
from streaks.engine.excuses import INSTANT, Span
from streaks.engine.rolling import Rolling
from streaks.engine.windows import Windows, display_of
from streaks.models import ParticipantStreak
from streaks.selectors.catalog import CompiledStreak
from streaks.selectors.statuses import rules_of, spans_of, state_of
from streaks.selectors.terms import days_of, zone_of

MAX_WINDOWS = 400


@dataclass(frozen=True)
class StreakCalendar:
    """The windows of a participant in one streak, one by one. `timezone` is the zone of their dates."""

    streak: CompiledStreak
    timezone: str
    windows: Sequence[CalendarEntry]


def calendar_of(
    participant: Participant | None,
    streak: CompiledStreak,
    *,
    first: date | None,
    last: date | None,
    now: datetime,
) -> StreakCalendar:
    """The windows that overlap the local dates from `first` to `last`, both included.

    `last` defaults to today, and `first` to the period's default number of days. For a participant without ticks all
    windows are unsatisfied.

    Raises: InvalidInput for more than MAX_WINDOWS.
    """
    rules, state, spans = _rules_state_spans(participant, streak)
    last = last or now.astimezone(zone_of(rules)).date()
    first = first or last - timedelta(days=display_of(streak.period).days - 1)
    if last < first:
        raise InvalidInput("to", "Must not be before `from`.")
    windows = windows_of(state, rules)
    entries = [] if windows is None else _entries(windows, state, rules, spans, first=first, last=last, now=now)
    return StreakCalendar(streak, str(zone_of(rules)), entries)


def _rules_state_spans(participant: Participant | None, streak: CompiledStreak) -> tuple[Rules, State, Sequence[Span]]:
    if participant is None:
        return streak.terms.rules, State(), streak.spans
    rules = rules_of(streak, participant)
    row = ParticipantStreak.objects.of(participant).filter(streak_id=streak.id).first()
    if row is None:
        return rules, State(), streak.spans
    return rules, state_of(row, streak, participant), spans_of(row, streak)


def _entries(
    windows: Windows,
    state: State,
    rules: Rules,
    spans: Sequence[Span],
    *,
    first: date,
    last: date,
    now: datetime,
) -> list[CalendarEntry]:
    local = days_of(rules)
    begin = windows.ordinal(local.start(first.toordinal()))
    end = windows.ordinal(local.end(last.toordinal()) - INSTANT)
    if isinstance(rules.windows, Rolling) and state.anchor is not None:
        open_window = streak_status(state, rules, now=now, spans=spans).window
        begin = max(begin, state.anchor.first)
        end = min(end, windows.ordinal(now) if open_window is None else open_window)
    if end - begin >= MAX_WINDOWS:
        raise InvalidInput("to", f"At most {MAX_WINDOWS} windows can be asked for at once.")
    return list(calendar_entries(state, rules, first=begin, last=end, now=now, spans=spans))
