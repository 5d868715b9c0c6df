"""The calendar of the form of a streak: days are clicked, and the engine answers, by the settings that the form has now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from gamify.facts.engine.conditions import ConditionKind
from participants.admin.words import counted
from participants.engine import day_of
from participants.models import Tenant
from streaks.admin.calendars import DESCRIPTIONS, LEGEND, MARKS
from streaks.admin.words import NOUNS
from streaks.engine.calendar import CalendarEntry, calendar_entries
from streaks.engine.counting import Rules, State, streak_status, windows_of
from streaks.engine.milestones import Milestone, due_milestones, with_payments
from streaks.engine.ticking import tick
from streaks.engine.windows import CalendarWindows, Period
from streaks.models import Streak
from streaks.selectors.catalog import milestones_of
from streaks.selectors.terms import Terms, days_of, zone_of

WEEKS, DAYS_PER_WEEK = 8, 7
WEEKS_BEFORE = 2
NOON = timedelta(hours=12)
DAY_FIELD, FROM_FIELD = "try-day", "try-from"


@dataclass(frozen=True)
class Trial:
    """What came of the clicked days. `reached` are the milestones, each with the day on which it was reached."""

    state: State
    began_at: datetime
    now: datetime
    reached: Sequence[tuple[date, Milestone]]


@dataclass(frozen=True)
class Day:
    """One day of the grid. `clocks` says that clocks change on it. `kind` is that of its window, for daily periods only."""

    on: date
    is_clicked: bool
    clocks: str
    kind: str

    @property
    def mark(self) -> str:
        return MARKS.get(self.kind, "")

    @property
    def words(self) -> str:
        return ", ".join(filter(None, [DESCRIPTIONS.get(self.kind, ""), self.clocks]))


def try_days(rules: Rules, milestones: Sequence[Milestone], clicked: Sequence[date]) -> Trial | None:
    """Play one event at noon of each day. None without days."""
    state, reached, days, at = State(), list[tuple[date, Milestone]](), days_of(rules), None
    for on in clicked:
        at = days.start(on.toordinal()) + NOON
        result = tick(state, rules, at=at, now=at, value=_value(rules, on))
        state = result.state
        if result.chain is not None:
            due = due_milestones(milestones, result.chain, state.paid)
            state = state.with_changes(paid=with_payments(state.paid, due, result.chain))
            reached += [(on, each) for each in due]
    return None if at is None else Trial(state, days.start(clicked[0].toordinal()) + NOON, at, reached)


def _value(rules: Rules, on: date) -> Any:
    """The value of the property in one clicked event: a different one on each day; for a sum, enough for a period."""
    return rules.condition.minimum if rules.condition.kind is ConditionKind.SUM else on.isoformat()


def render_trial(request: HttpRequest, row: Streak, tenant: Tenant) -> SafeString:
    """Render the calendar for the unsaved `row` and the days that the request clicked."""
    if row.period == Period.HOURLY:
        return SafeString("")
    rules = Terms.of(row, tenant.timezone, lead_seconds=row.at_risk_seconds).rules
    first = _first_day(request, rules)
    grid = [first + timedelta(days=number) for number in range(WEEKS * DAYS_PER_WEEK)]
    clicked = sorted({on for text in request.POST.getlist(DAY_FIELD) if (on := day_of(text)) in grid and on})
    trial = try_days(rules, milestones_of(row), clicked)
    entries = [] if trial is None else list(_entries(trial, rules))
    kinds = {entry.key: _kind(entry, trial) for entry in entries if trial} if row.period == Period.DAILY else {}
    cells = [Day(on, on in clicked, _clocks(on, rules), kinds.get(on.isoformat(), "")) for on in grid]
    context = {
        "weeks": [cells[start : start + DAYS_PER_WEEK] for start in range(0, len(cells), DAYS_PER_WEEK)],
        "heads": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
        "first": first,
        "zone": zone_of(rules),
        "sentences": [] if trial is None else list(_sentences(trial, rules, row)),
        "windows": [] if trial is None or kinds else [(entry.key, _kind(entry, trial), entry) for entry in entries],
        "descriptions": DESCRIPTIONS,
        "legend": LEGEND,
        "is_sum": rules.condition.kind is ConditionKind.SUM,
    }
    return render_to_string("admin/streaks/trial.html", context)


def _first_day(request: HttpRequest, rules: Rules) -> date:
    """The Monday of the week from which the grid is shown."""
    today = timezone.now().astimezone(zone_of(rules)).date()
    chosen = day_of(request.POST.get(FROM_FIELD, "")) or today - timedelta(weeks=WEEKS_BEFORE)
    chosen = min(max(chosen, date(1970, 1, 5)), date(2100, 1, 4))
    return chosen - timedelta(days=chosen.weekday())


def _entries(trial: Trial, rules: Rules) -> Iterator[CalendarEntry]:
    """The windows from the first clicked day to the last."""
    windows = windows_of(trial.state, rules)
    if windows is None:
        return
    first, last = windows.ordinal(trial.began_at), windows.ordinal(trial.now)
    yield from calendar_entries(trial.state, rules, first=first, last=last, now=trial.now)


def _kind(entry: CalendarEntry, trial: Trial) -> str:
    if entry.is_satisfied:
        return "kept"
    if entry.is_grace:
        return "grace"
    return "open" if entry.end > trial.now else "missed"


def _clocks(on: date, rules: Rules) -> str:
    """Say so if clocks change on the day in the zone of the streak."""
    days = CalendarWindows(Period.DAILY, str(zone_of(rules)))
    hours = (days.end(on.toordinal()) - days.start(on.toordinal())) / timedelta(hours=1)
    return "" if hours == 24 else f"clocks change: the day has {hours:g} hours"


def _sentences(trial: Trial, rules: Rules, row: Streak) -> Iterator[str]:
    status, noun = streak_status(trial.state, rules, now=trial.now), NOUNS[row.period]
    yield f"After the last of these days: a run of {counted(status.current, noun)}; the longest was {counted(status.longest, noun)}."
    if status.breaks_at is not None:
        local = status.breaks_at.astimezone(zone_of(rules))
        yield f"It breaks on {local:%Y-%m-%d} at {local:%H:%M} unless another {noun} is completed."
    for on, milestone in trial.reached:
        yield f"The milestone at {counted(milestone.threshold, noun)} is reached on {on}."
