"""Daily figures of clients' events: how many happened, by name."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from gamify.facts.models import Event
from participants.figures import (
    DAY,
    DaySpan,
    Figure,
    FigureSource,
    Measurement,
    Presence,
    Section,
    count_rows,
    figure_sources,
    presences,
)
from participants.models import DailyFigure, Tenant

REPORTED = "events.reported"
DAYS_SEEN = 90

_FIGURES = {
    REPORTED: Figure(
        "Events",
        "Events that clients reported and that happened on the day, by name. Reversed ones are included.",
        "events",
        "facts_event_changelist",
        column="occurred_at",
    )
}


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register("events", FigureSource(Section.PEOPLE, _FIGURES, _measure))
    presences.register("events", Presence(_events_of, "occurred_at"))


def names_seen(tenant: Tenant, *, now: datetime) -> set[str]:
    """Return the names of events that happened in the last DAYS_SEEN days, as the sweep of the figures found them."""
    rows = DailyFigure.objects.filter(tenant_id=tenant.pk, figure=REPORTED, day__gte=now.date() - DAYS_SEEN * DAY)
    return set(rows.exclude(dimension="").order_by().values_list("dimension", flat=True).distinct())


def _events_of(tenant: Tenant) -> "QuerySet[Event]":
    return Event.objects.filter(tenant_id=tenant.pk)


def _measure(span: DaySpan) -> Iterator[Measurement]:
    events = _events_of(span.tenant).filter(span.has("occurred_at"))
    for day, name, number in count_rows(span, events, "occurred_at", by="name"):
        yield Measurement(REPORTED, day, number, name)
