"""Daily figures of clients' events: how many happened, by name."""

from collections.abc import Iterator

from django.db.models import QuerySet

from gamify.facts.models import Event
from participants.figures import (
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
from participants.models import Tenant

REPORTED = "events.reported"

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


def _events_of(tenant: Tenant) -> "QuerySet[Event]":
    return Event.objects.filter(tenant_id=tenant.pk)


def _measure(span: DaySpan) -> Iterator[Measurement]:
    events = _events_of(span.tenant).filter(span.has("occurred_at"))
    for day, name, number in count_rows(span, events, "occurred_at", by="name"):
        yield Measurement(REPORTED, day, number, name)
