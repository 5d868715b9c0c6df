"""Export of events."""

from django.db.models import QuerySet

from gamify.facts.models import Event
from participants.api.exporting import ExportKind, ParticipantPeriodFilters, Scope, export_kinds
from participants.api.exports import ACTOR, ACTOR_LABEL, PARTICIPANT_ID, REQUEST_ID
from participants.api.scalars import TextField

_EVENT = {
    "id": "Id of the event.",
    "participant_id": PARTICIPANT_ID,
    "event_name": "Name of the event.",
    "properties": "Its properties, an object.",
    "timestamp": "When it happened.",
    "created_at": "When the server stored it.",
    "reversed_at": "When it was reversed; empty if it was not.",
    "actor": ACTOR,
    "actor_label": ACTOR_LABEL,
    "request_id": REQUEST_ID,
}


class EventFilters(ParticipantPeriodFilters):
    event_name = TextField(max_length=100, required=False, help_text="Only events with this name.")


def _events(scope: Scope) -> "QuerySet[Event]":
    selected = scope.of_participant & scope.between("occurred_at") & scope.matching(name="event_name")
    return Event.objects.filter(scope.of_tenant & scope.written & selected)


def register() -> None:
    """Called by `AppConfig.ready`."""
    export_kinds.register(
        "events",
        ExportKind(
            title="Events",
            about="One row per event, participant by participant, the oldest first. `since` and `until` are about `timestamp`.",
            columns=_EVENT,
            filters=EventFilters,
            rows=_events,
            order=("participant_id", "occurred_at", "id"),
            fields=(
                "id", "participant__external_id", "name", "properties", "occurred_at", "created_at", "reversed_at",
                "actor", "actor_label", "request_id",
            ),
            permission="facts.view_event",
        ),
    )  # fmt: skip
