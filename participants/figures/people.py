"""Figures about participants: how many there are, how many are active, and how many come back.

A participant is active on a day on which a row of a *presence* says so. Each domain registers the rows that its participants cause.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Any

from django.db import connection
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncWeek

from participants.figures.counting import count_rows
from participants.figures.days import DAY, DaySpan
from participants.figures.registry import Figure, FigureSource, Measurement, Section, figure_sources
from participants.models import Participant, Tenant
from participants.registries import Registry

SUNDAY = 6
WEEK = 7
MONTH = 30
COHORT_WEEKS = 12
WINDOWS = {"people.active_day": 1, "people.active_week": WEEK, "people.active_month": MONTH}
"""The figures of activity, and over how many days each looks back, the day itself included."""
PAGE = "participants_participant_changelist"
RETAINED = "people.retained"
_ACTIVE = "Different participants for whom an event happened, points were awarded or spent, or a streak grew"


@dataclass(frozen=True)
class Presence:
    """Rows that show that their participant was active at the instant in `column`."""

    rows: Callable[[Tenant], "QuerySet[Any]"]
    column: str


presences: Registry[Presence] = Registry("Presence")


def _active(span: DaySpan, *, by_day: bool) -> "QuerySet[Any, Any] | None":
    """Return the ids of the participants who were active in the span, each once, or once per day with the day.

    None if no domain registers a presence.
    """
    found = [
        each.rows(span.tenant)
        .filter(span.has(each.column))
        .order_by()
        .values_list("participant_id", *([span.day_of(each.column)] if by_day else []))
        for each in presences.values()
    ]
    return reduce(lambda all_, more: all_.union(more), found) if found else None


_GAPS = """
    WITH active (participant, day) AS ({active}),
    followed AS (SELECT day, LEAD(day) OVER (PARTITION BY participant ORDER BY day) AS next_day FROM active)
    SELECT day, next_day, COUNT(*) FROM followed GROUP BY day, next_day
"""


def _active_days(span: DaySpan) -> Iterator[tuple[date, date | None, int]]:
    """Yield (day, next day, number of participants who were active on these two days and not between), from 29 days before the span on.

    The ORM has no window functions over a union. One query gives the numbers of all days and windows.
    """
    earlier = replace(span, first=span.first - (MONTH - 1) * DAY)
    active = _active(earlier, by_day=True)
    if active is None:
        return
    sql, parameters = active.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_GAPS.format(active=sql), parameters)
        for day, next_day, people in cursor.fetchall():
            yield _date(day), None if next_day is None else _date(next_day), people


def _date(value: date | str) -> date:
    """SQLite returns dates as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def _measure_activity(span: DaySpan) -> Iterator[Measurement]:
    counts = {name: Counter[date]() for name in WINDOWS}
    for day, next_day, people in _active_days(span):
        for name, length in WINDOWS.items():
            _add_window(counts[name], day, next_day, length, people)
    for name, by_day in counts.items():
        yield from (Measurement(name, day, by_day[day]) for day in span.days)
    for day in span.days:
        if day.weekday() == SUNDAY:
            yield from _measure_retention(span.up_to(day, days=WEEK))


def _add_window(counts: Counter[date], day: date, next_day: date | None, length: int, people: int) -> None:
    """Count `people` who were active on `day`, and next on `next_day`, on each day whose window of `length` days has `day` as its newest."""
    for later in range(length if next_day is None else min(length, (next_day - day).days)):
        counts[day + later * DAY] += people


def _measure_retention(week: DaySpan) -> Iterator[Measurement]:
    """Count the participants who were active in the week, by the week in which they were first seen."""
    active = _active(week, by_day=False)
    oldest = week.start_of(week.first - COHORT_WEEKS * WEEK * DAY)
    people = Participant.objects.of(week.tenant).filter(first_seen_at__gte=oldest, pk__in=active or [])
    cohorts = people.order_by().values(cohort=TruncWeek("first_seen_at", tzinfo=week.zone)).annotate(number=Count("pk"))
    for row in cohorts:
        yield Measurement(RETAINED, week.last, row["number"], row["cohort"].date().isoformat())


def _measure_newcomers(span: DaySpan) -> Iterator[Measurement]:
    people = Participant.objects.of(span.tenant).filter(span.has("first_seen_at"))
    for day, _, number in count_rows(span, people, "first_seen_at"):
        yield Measurement("people.new", day, number)


def _measure_people(span: DaySpan) -> Iterator[Measurement]:
    yield Measurement("people.total", span.last, Participant.objects.of(span.tenant).count())


def _activity(label: str, when: str) -> Figure:
    return Figure(label, f"{_ACTIVE}, {when}.", "people", PAGE, is_level=True)


def register() -> None:
    """Called once the apps are loaded."""
    activity = {
        "people.active_day": _activity("Active in a day", "on the day"),
        "people.active_week": _activity("Active in 7 days", "in the 7 days that end with the day"),
        "people.active_month": _activity("Active in 30 days", "in the 30 days that end with the day"),
        RETAINED: Figure(
            "Weekly retention",
            "Participants who were active in a week from Monday to Sunday, by the week in which they were first seen.",
            "people",
            PAGE,
            is_level=True,
            is_listed=False,
        ),
    }
    new = {
        "people.new": Figure(
            "New people", "Participants who were first seen on the day.", "people", PAGE, column="first_seen_at"
        )
    }
    total = {
        "people.total": Figure(
            "People",
            "Participants at the end of the day, without those who were deleted.",
            "people",
            PAGE,
            is_level=True,
        )
    }
    figure_sources.register("activity", FigureSource(Section.PEOPLE, activity, _measure_activity))
    figure_sources.register("new people", FigureSource(Section.PEOPLE, new, _measure_newcomers))
    figure_sources.register("people", FigureSource(Section.PEOPLE, total, _measure_people, is_momentary=True))
