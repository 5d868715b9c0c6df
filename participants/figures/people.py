"""Figures about participants: how many there are, how many are active, and how many come back.

A participant is active on a day on which a row of a *presence* says so. Each domain registers the rows that its participants cause.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncWeek

from participants.figures.counting import count_rows
from participants.figures.days import DAY, DaySpan
from participants.figures.registry import Figure, FigureSource, Measurement, figure_sources
from participants.models import Participant, Tenant
from participants.registries import Registry

SUNDAY = 6
WEEK = 7
MONTH = 30
COHORT_WEEKS = 12
PAGE = "participants_participant_changelist"
RETAINED = "people.retained"
_ACTIVE = "Different participants for whom an event happened, points were awarded or spent, or a streak grew"


@dataclass(frozen=True)
class Presence:
    """Rows that show that their participant was active at the instant in `column`."""

    rows: Callable[[Tenant], "QuerySet[Any]"]
    column: str


presences: Registry[Presence] = Registry("Presence")


def active_participants(span: DaySpan) -> "QuerySet[Any, Any] | None":
    """Return the ids of the participants who were active in the span, each once; None if no domain registers a presence."""
    found = [
        each.rows(span.tenant).filter(span.has(each.column)).order_by().values_list("participant_id")
        for each in presences.values()
    ]
    return reduce(lambda all_, more: all_.union(more), found) if found else None


def _measure_activity(span: DaySpan) -> Iterator[Measurement]:
    for day in span.days:
        for name, days in (("people.active_day", 1), ("people.active_week", WEEK), ("people.active_month", MONTH)):
            active = active_participants(span.up_to(day, days=days))
            yield Measurement(name, day, 0 if active is None else active.count())
        if day.weekday() == SUNDAY:
            yield from _measure_retention(span.up_to(day, days=WEEK))


def _measure_retention(week: DaySpan) -> Iterator[Measurement]:
    """Count the participants who were active in the week, by the week in which they were first seen."""
    active = active_participants(week)
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


def _active(days: str) -> Figure:
    return Figure(f"Active people, {days}", f"{_ACTIVE}, {days}.", "people", PAGE, "o=-4", is_level=True)


def register() -> None:
    """Called once the apps are loaded."""
    activity = {
        "people.active_day": _active("on the day"),
        "people.active_week": _active("in the 7 days up to the day"),
        "people.active_month": _active("in the 30 days up to the day"),
        RETAINED: Figure(
            "Weekly retention",
            "Participants who were active in a week from Monday to Sunday, by the week in which they were first seen.",
            "people",
            PAGE,
            is_level=True,
            is_listed=False,
        ),
    }
    new = {"people.new": Figure("New people", "Participants who were first seen on the day.", "people", PAGE, "o=-3")}
    total = {
        "people.total": Figure(
            "People",
            "Participants at the end of the day, without those who were deleted.",
            "people",
            PAGE,
            is_level=True,
        )
    }
    figure_sources.register("activity", FigureSource("People", activity, _measure_activity))
    figure_sources.register("new people", FigureSource("People", new, _measure_newcomers))
    figure_sources.register("people", FigureSource("People", total, _measure_people, is_momentary=True))
