"""Bodies and answers about rules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework import serializers

from gamify.facts.api.serializers import EmittedAnswer, EventBody, TraceAnswer, event_input_from
from gamify.facts.definitions import GrantsField
from gamify.facts.engine.events import EventInput
from gamify.facts.services import Simulation
from gamify.rules.definitions import LIMITS
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import ObjectField, ParticipantIdField
from participants.ids import new_id


class WhenAnswer(serializers.Serializer[Any]):
    event_types = serializers.ListField(
        child=serializers.CharField(), help_text="Names of clients' events; `*` for any of them."
    )
    changes = serializers.ListField(child=serializers.CharField(), help_text="Changes of the product's own.")
    expression = ObjectField(allow_null=True, help_text="Which of these are meant; null for all.")


class LimitsAnswer(serializers.Serializer[Any]):
    per_day = serializers.IntegerField(allow_null=True, help_text="In a day of your tenant's time zone.")
    per_week = serializers.IntegerField(allow_null=True, help_text="In an ISO week, which begins on Monday.")
    ever = serializers.IntegerField(allow_null=True, help_text="In all.")
    cooldown_seconds = serializers.IntegerField(allow_null=True, help_text="Least time between two firings.")

    def to_representation(self, instance: Mapping[str, int]) -> dict[str, Any]:
        """Null for what does not bind."""
        return {name: instance.get(name) for name in LIMITS}


class RuleAnswer(DefinitionAnswer):
    display_order = None  # type: ignore[assignment]  # DRF's way to leave out what the parent declares
    priority = serializers.IntegerField(help_text="Rules with a higher one come first; then by code.")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="From when it holds; null: always.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="Until when; null: for ever.")
    when = WhenAnswer(source="*", help_text="What it listens to.")
    then = GrantsField(source="grants", help_text="What is given, in order.")
    limits = LimitsAnswer(help_text="How often it may fire for one participant.")


class SimulatedEventBody(EventBody):
    """An event as it would be sent."""

    participant_id = None  # type: ignore[assignment]  # DRF's way to leave out what the parent declares
    idempotency_key = None  # type: ignore[assignment]


class SimulateBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField(
        required=False, allow_null=True, help_text="Whose event it would be; a new participant's when left out."
    )
    event = SimulatedEventBody(help_text="What would have happened.")


def simulated_event(body: Mapping[str, Any], *, now: datetime) -> EventInput:
    """The event that validated data tells of."""
    participant_id = body.get("participant_id") or f"simulated-{new_id()}"
    return event_input_from({**body["event"], "participant_id": participant_id}, now=now)


class SimulatedAnswer(EmittedAnswer):
    event_id = serializers.UUIDField(allow_null=True, help_text="Null: nothing is recorded.")
    fact_id = serializers.UUIDField(allow_null=True, help_text="Null: nothing is told.")
    trace = TraceAnswer(help_text="What was decided, and why.")


def simulated_answer(simulated: Simulation) -> dict[str, Any]:
    nobody_listened: Mapping[str, Any] = {"facts": [], "granted": [], "refused": [], "cut": []}
    return {
        "event_id": None,
        "fact_id": None,
        "status": "processed",
        "rewards_granted": simulated.rewards_granted,
        "trace": simulated.trace or nobody_listened,
    }
