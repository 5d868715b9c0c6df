"""The last windows of a participant in a streak, as a calendar of boxes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from streaks.engine.calendar import CalendarEntry, calendar_entries
from streaks.engine.counting import windows_of
from streaks.engine.windows import DAYS_PER_WEEK, Period, Windows, display_of
from streaks.selectors import ParticipantStreakStatus
from streaks.selectors.terms import zone_of

MAX_CALENDARS = 12
WEEKDAYS = ("M", "T", "W", "T", "F", "S", "S")
DESCRIPTIONS = {
    "kept": "completed",
    "grace": "missed, the run went on",
    "excused": "excused",
    "missed": "missed",
    "open": "still open",
    "unknown": "before the participant began, or before the rules changed",
}
MARKS = {"kept": "✓", "grace": "~", "excused": "❄\ufe0e", "missed": "×", "open": "…", "unknown": ""}
"""A sign for each kind of window, so that nobody depends on its colour. (The variation selector keeps the snowflake plain.)"""
LEGEND = [(kind, MARKS[kind], text) for kind, text in DESCRIPTIONS.items() if MARKS[kind]]


@dataclass(frozen=True)
class Window:
    """One box. `kind` is a key of DESCRIPTIONS."""

    kind: str
    label: str
    description: str

    @property
    def mark(self) -> str:
        return MARKS[self.kind]


@dataclass(frozen=True)
class Calendar:
    """`about` names the period, and the time zone in which the windows have their dates."""

    title: str
    about: str
    layout: str
    heads: Iterable[str]
    windows: Iterable[Window]


def render_calendars(statuses: Iterable[ParticipantStreakStatus], *, now: datetime) -> SafeString:
    """The calendars of the first MAX_CALENDARS streaks as HTML. Empty if there are none."""
    calendars = [calendar for status in statuses if (calendar := calendar_of(status, now=now))][:MAX_CALENDARS]
    if not calendars:
        return SafeString("")
    return render_to_string("admin/streaks/calendars.html", {"calendars": calendars, "legend": LEGEND})


def calendar_of(status: ParticipantStreakStatus, *, now: datetime) -> Calendar | None:
    """The calendar of one streak. None for a rolling streak that has no windows yet."""
    windows, period = windows_of(status.state, status.rules), status.streak.period
    if windows is None:
        return None
    is_daily = period == Period.DAILY
    return Calendar(
        title=status.streak.name,
        about=f"{period}, in {zone_of(status.rules)}",
        layout="is-weeks" if is_daily else "is-row",
        heads=WEEKDAYS if is_daily else (),
        windows=_without_unknown_start(
            list(_windows(status, windows, period, now=now)), DAYS_PER_WEEK if is_daily else 1
        ),
    )


def _windows(status: ParticipantStreakStatus, windows: Windows, period: str, *, now: datetime) -> Iterator[Window]:
    last = windows.ordinal(now)
    first = _first(status, period, last)
    known_from = windows.start(_first_known(status, windows))
    for day in calendar_entries(status.state, status.rules, first=first, last=last, now=now, spans=status.spans):
        kind = _kind(day, known_from, now=now)
        yield Window(kind, display_of(period).label(day.key, day.start), _describe(day, kind))


def _without_unknown_start(windows: Sequence[Window], step: int) -> Sequence[Window]:
    """Drop leading windows of the kind `unknown`, in whole rows of `step` boxes."""
    unknown = next((index for index, window in enumerate(windows) if window.kind != "unknown"), len(windows))
    return windows[unknown - unknown % step :]


def _first(status: ParticipantStreakStatus, period: str, last: int) -> int:
    """The first window to show. Days begin with a Monday. Rolling windows begin where the run opened."""
    first = last - display_of(period).boxes + 1
    if period == Period.DAILY:
        first -= (first - 1) % DAYS_PER_WEEK
    anchor = status.state.anchor
    return first if anchor is None else min(max(first, anchor.first), last)


def _first_known(status: ParticipantStreakStatus, windows: Windows) -> int:
    """The first window after the participant began the streak and after the rules last changed."""
    begun = min([windows.ordinal(status.row.created_at), *(first for first, _ in status.state.runs[:1])])
    return max(begun, status.state.carry_over.last + 1)


def _kind(day: CalendarEntry, known_from: datetime, *, now: datetime) -> str:
    if day.is_satisfied:
        return "kept"
    if day.start < known_from:
        return "unknown"
    if day.is_excused:
        return "excused"
    if day.is_grace:
        return "grace"
    return "open" if day.end > now else "missed"


def _describe(day: CalendarEntry, kind: str) -> str:
    run = f", run of {day.count:,}" if day.count and kind != "open" else ""
    return f"{day.key}: {DESCRIPTIONS[kind]}{run}"
