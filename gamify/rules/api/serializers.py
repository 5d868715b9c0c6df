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
        child=serializers.CharField(), help_text="Names of events that clients report; `*` stands for all."
    )
    changes = serializers.ListField(
        child=serializers.CharField(), help_text="Changes, that is, domain events such as `tier.upgraded`."
    )
    expression = ObjectField(allow_null=True, help_text="Expression that they must match; null for none.")


class LimitsAnswer(serializers.Serializer[Any]):
    per_day = serializers.IntegerField(allow_null=True, help_text="Firings per day in your tenant's time zone.")
    per_week = serializers.IntegerField(allow_null=True, help_text="Firings per ISO week, which begins on Monday.")
    ever = serializers.IntegerField(allow_null=True, help_text="Firings in total.")
    cooldown_seconds = serializers.IntegerField(
        allow_null=True, help_text="Minimum time between two firings, in seconds."
    )

    def to_representation(self, instance: Mapping[str, int]) -> dict[str, Any]:
        """Return null for limits that do not apply."""
        return {name: instance.get(name) for name in LIMITS}


class RuleAnswer(DefinitionAnswer):
    display_order = None  # type: ignore[assignment]  # DRF's way to leave out what the parent declares
    priority = serializers.IntegerField(
        help_text="Rules with a higher priority are evaluated first; equal ones by code."
    )
    starts_at = serializers.DateTimeField(allow_null=True, help_text="When it begins to apply; null for no beginning.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="When it stops to apply; null for no end.")
    when = WhenAnswer(source="*", help_text="What it listens to.")
    then = GrantsField(source="grants", help_text="What it gives, in order.")
    limits = LimitsAnswer(help_text="How often it may fire for one participant.")


class SimulatedEventBody(EventBody):
    """The event to simulate."""

    participant_id = None  # type: ignore[assignment]  # DRF's way to leave out what the parent declares
    idempotency_key = None  # type: ignore[assignment]


class SimulateBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField(
        required=False, allow_null=True, help_text="The participant. If left out, a new one."
    )
    event = SimulatedEventBody(help_text="The event.")


def simulated_event(body: Mapping[str, Any], *, now: datetime) -> EventInput:
    """Return the event in a validated body."""
    participant_id = body.get("participant_id") or f"simulated-{new_id()}"
    return event_input_from({**body["event"], "participant_id": participant_id}, now=now)


class SimulatedAnswer(EmittedAnswer):
    event_id = serializers.UUIDField(allow_null=True, help_text="Always null, because nothing is recorded.")
    fact_id = serializers.UUIDField(allow_null=True, help_text="Always null, because nothing is published.")
    trace = TraceAnswer(help_text="The decision trace: what would be given, and why.")


def simulated_answer(simulated: Simulation) -> dict[str, Any]:
    empty_trace: Mapping[str, Any] = {"facts": [], "granted": [], "refused": [], "cut": []}
    return {
        "event_id": None,
        "fact_id": None,
        "status": "processed",
        "rewards_granted": simulated.rewards_granted,
        "trace": simulated.trace or empty_trace,
    }
