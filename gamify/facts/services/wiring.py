"""Registers what events provide to the layers below."""

from typing import Any

from django.db.models import QuerySet

from gamify.facts.models import Event
from gamify.facts.services.listening import consumers
from gamify.facts.services.metrics import register_event_metrics
from gamify.facts.services.pruning import EVENTS
from gamify.facts.services.reversing import take_back_event
from participants import events
from participants.activity import ActivitySource, activity_sources
from participants.causes import CauseTable, cause_tables, irreversible_events
from participants.engine import instant_text
from participants.events import GRANTS, INSTANT, OBJECT, TEXT, UUID, EventField
from participants.models import Participant, Tenant
from participants.services.append_only import anonymize, erase, register_append_only
from participants.services.participants import Eraser, erasers
from participants.services.personal_data import PersonalTable


def _clear_properties(participant: Participant) -> None:
    """Anonymise: the name and the time of an event stay; its properties, its trace, its undo notes and reasons are cleared."""
    anonymize(EVENTS)(participant)
    Event.objects.of(participant).exclude(reversed_at=None).update(reversal={"reason": None, "undone": []})


def _events_of(tenant: Tenant) -> "QuerySet[Event]":
    return Event.objects.filter(tenant_id=tenant.pk)


def _describe(event: Event) -> tuple[str, dict[str, Any]]:
    """Return an event as an item of the activity."""
    at = instant_text(event.occurred_at)
    return "event.recorded", {"event_id": str(event.pk), "event_name": event.name, "timestamp": at}


_REVERSED = {
    "event_id": EventField(UUID, "Id of the event."),
    "event_name": EventField(TEXT, "Its name."),
    "reason": EventField(TEXT, "Text given with the request, or null.", nullable=True),
    "undone": EventField(GRANTS, "What was taken back, and what was not, with the reason; one object each."),
}


def register() -> None:
    """Called when the apps are loaded."""
    consumers()  # so that a misspelt name in the settings fails at the start, and not at the first event
    register_event_metrics()
    register_append_only(EVENTS)
    about = "Events about them with their properties, decision traces and reversals, oldest first."
    tables = {"events": PersonalTable(Event, about, order=("occurred_at", "id"))}
    erasers.register("events", Eraser(tables, delete=erase(EVENTS), anonymize=_clear_properties))
    activity_sources.register("events", ActivitySource(_events_of, frozenset({"event.recorded"}), _describe))
    cause_tables.register("event", CauseTable(Event, "created_at", take_back_event, is_of_event=False))
    irreversible_events.register(
        "event.reversed", "The reversal of an event is not taken back. Record the event again if needed"
    )
    recorded = {
        "event_id": EventField(UUID, "Id of the event."),
        "event_name": EventField(TEXT, "Its name."),
        "properties": EventField(OBJECT, "Details that the client reported."),
        "timestamp": EventField(INSTANT, "When it happened."),
    }
    events.register("event.recorded", "A client's event was recorded.", recorded, is_report=True)
    events.register(
        "event.reversed", "An event was reversed with everything that resulted from it.", _REVERSED, is_reversal=True
    )
