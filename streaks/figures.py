"""Daily figures of streaks: runs that are alive, at risk and broken, and how long runs become."""

from collections.abc import Iterator

from django.db.models import QuerySet

from participants.figures import (
    DaySpan,
    Figure,
    FigureSource,
    Measurement,
    Presence,
    Section,
    count_events,
    event_retention,
    figure_sources,
    presences,
)
from participants.models import DomainEvent, Tenant
from streaks.models import Streak
from streaks.selectors.reach import runs_of

STREAKS = "streaks_streak_changelist"
ALIVE, AT_RISK, BROKEN, GROWN = "streaks.alive", "streaks.at_risk", "streaks.broken", "streaks.grown"
REACHED, ENDED = "streaks.reached", "streaks.ended"

_LEVELS = {
    ALIVE: Figure(
        "Streaks alive",
        "Runs that are not broken at the end of the day, of active and paused streaks. A participant counts once for each streak.",
        "runs",
        STREAKS,
        is_level=True,
    ),
    AT_RISK: Figure(
        "Streaks at risk",
        "Runs alive at the end of the day that break soon, unless their participant is active before: those for which "
        "`streak.at_risk` is due.",
        "runs",
        STREAKS,
        is_level=True,
    ),
}
_FLOWS = {
    BROKEN: Figure("Streaks broken", "Runs whose break was announced on the day, by streak.", "runs", STREAKS),
    GROWN: Figure(
        "Streaks extended", "Windows of streaks that participants satisfied on the day, by streak.", "windows", STREAKS, definition=Streak
    ),
}  # fmt: skip
_LENGTHS = {
    REACHED: Figure(
        "Lengths reached", "Runs that reached a length on the day, by length.", "runs", STREAKS, is_listed=False
    ),
    ENDED: Figure("Lengths at the end", "Runs that broke on the day, by their length.", "runs", STREAKS, is_listed=False),
}  # fmt: skip


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register("runs", FigureSource(Section.STREAKS, _LEVELS, _measure_levels, is_momentary=True))
    figure_sources.register("streaks", FigureSource(Section.STREAKS, _FLOWS, _measure_flows, horizon=event_retention))
    figure_sources.register(
        "lengths", FigureSource(Section.STREAKS, _LENGTHS, _measure_lengths, horizon=event_retention)
    )
    presences.register("streaks", Presence(_ticks_of, "occurred_at"))


def _ticks_of(tenant: Tenant) -> "QuerySet[DomainEvent]":
    return DomainEvent.objects.filter(tenant_id=tenant.pk, type="streak.incremented")


def _measure_levels(span: DaySpan) -> Iterator[Measurement]:
    for code, alive, at_risk in runs_of(span.tenant, now=span.now):
        yield Measurement(ALIVE, span.last, alive, code)
        yield Measurement(AT_RISK, span.last, at_risk, code)


def _measure_flows(span: DaySpan) -> Iterator[Measurement]:
    return count_events(span, figure_of={"streak.broken": BROKEN, "streak.incremented": GROWN}, by="streak_code")


def _measure_lengths(span: DaySpan) -> Iterator[Measurement]:
    yield from count_events(span, figure_of={"streak.incremented": REACHED}, by="new_count")
    yield from count_events(span, figure_of={"streak.broken": ENDED}, by="final_count")
