"""Bodies, queries and answers about events."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from gamify.facts.engine.events import MAX_EVENT_NAME, EventInput, name_problem
from participants.api.fields import BodyKeyField, LineField, ObjectField, PageQuery, ParticipantIdField, ParticipantPage
from participants.api.scalars import DayField, InstantField, TextField

MAX_BATCH = 100


class EventNameField(LineField):
    """The name of a reported event."""

    def __init__(self) -> None:
        about = "What happened, 1 to 100 characters without a comma, such as purchase_completed."
        super().__init__(max_length=MAX_EVENT_NAME, help_text=about)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        name = super().run_validation(data)
        if problem := name_problem(name):
            raise serializers.ValidationError(problem)
        return name


class EventBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    event_name = EventNameField()
    properties = ObjectField(required=False, allow_null=True, help_text="Details of the event, at most 16 KiB of JSON.")
    timestamp = InstantField(
        required=False, allow_null=True, help_text="When it happened. Defaults to now. Without an offset it is in UTC."
    )
    idempotency_key = BodyKeyField()


class EventBatchBody(serializers.Serializer[Any]):
    events = serializers.ListField(
        child=EventBody(), min_length=1, max_length=MAX_BATCH, help_text="Events. They are recorded in this order."
    )


def event_input_from(data: dict[str, Any], *, now: datetime, **given: Any) -> EventInput:
    """Return the event in a validated body. `given` replaces values of the body."""
    return EventInput(
        participant_id=data["participant_id"],
        name=data["event_name"],
        at=data.get("timestamp") or now,
        properties=data.get("properties") or {},
        **{"idempotency_key": data.get("idempotency_key"), **given},
    )


class HistoryQuery(PageQuery):
    event_name = TextField(required=False, help_text="Only events with exactly this name.")
    from_date = DayField(required=False, help_text="Only events on this day or later: YYYY-MM-DD, in UTC.")
    to_date = DayField(required=False, help_text="Only events on this day or earlier: YYYY-MM-DD, in UTC.")


class GrantSource(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="Type of the definition that granted it.")
    code = serializers.CharField(help_text="Code of that definition.")


class RewardGranted(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="points, badge, reward, tier, challenge or streak_milestone.")
    code = serializers.CharField(required=False, help_text="Code of what was given, if it has one.")
    id = serializers.UUIDField(required=False, help_text="Id of what was given, if it has no code.")
    name = serializers.CharField(help_text="Its display name.")
    amount = serializers.IntegerField(required=False, help_text="Points credited.")
    source = GrantSource(help_text="The definition that granted it.")  # type: ignore[assignment]  # DRF collects fields, it keeps its own


class EmittedAnswer(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(help_text="The event in the participant's history.")
    fact_id = serializers.UUIDField(help_text="Id of the domain event `event.recorded`.")
    status = serializers.CharField(help_text="Always processed.")
    rewards_granted = RewardGranted(many=True, help_text="What this event earned, in order.")


class JudgedCondition(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Dotted path of the tested field.")
    operator = serializers.CharField(help_text="Operator of the condition.")
    expected = serializers.JSONField(help_text="Value in the condition.")
    actual = serializers.JSONField(
        required=False, help_text="Value that the event or participant has; left out if it has none."
    )
    holds = serializers.BooleanField(help_text="Whether the condition holds.")


class HeardBy(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="streak, challenge, badge or rule.")
    code = serializers.CharField(help_text="Code of the definition.")
    version = serializers.IntegerField(
        required=False, help_text="The version of the definition that decided, as in `GET admin/changes`."
    )
    result = serializers.CharField(help_text="The result: matched, not_matched, limited, counted and so on.")
    note = serializers.CharField(required=False, help_text="Further explanation, for people.")
    conditions = JudgedCondition(many=True, required=False, help_text="The conditions of its expression, in order.")


class TracedFact(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Name of the event, or of the change that followed from it.")
    is_change = serializers.BooleanField(help_text="Whether it is a change, that is, something the product did.")
    depth = serializers.IntegerField(help_text="How many facts of the chain came before.")
    heard = HeardBy(many=True, help_text="The definitions that listened to it, in order.")
    more = serializers.IntegerField(
        required=False, help_text="How many further definitions listened and did not match."
    )


class RefusedGrant(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="What kind was to be given.")
    source = GrantSource(help_text="What granted it.")  # type: ignore[assignment]  # DRF collects fields, it keeps its own
    reason = serializers.CharField(help_text="Why it was not given.")


class TraceAnswer(serializers.Serializer[Any]):
    facts = TracedFact(
        many=True,
        help_text="The event, then the changes that followed from it, in the order in which they were processed.",
    )
    granted = RewardGranted(many=True, help_text="What was given, in order.")
    refused = RefusedGrant(many=True, help_text="What should have been given and was refused.")
    cut = serializers.ListField(
        child=serializers.CharField(), help_text="What was not processed, because the length of a chain is limited."
    )


class UndoneEntry(serializers.Serializer[Any]):
    type = serializers.CharField(
        help_text="A type as in `rewards_granted`, or streak_tick, challenge_progress or challenge_milestone. `event` means that "
        "it is no longer known what the event was counted for."
    )
    code = serializers.CharField(required=False, help_text="Code of what was taken back, if it has one.")
    id = serializers.UUIDField(required=False, help_text="Id of what was taken back, if it has no code.")
    name = serializers.CharField(help_text="Its display name.")
    amount = serializers.IntegerField(required=False, help_text="How much was taken back, if it is a number.")
    shortfall = serializers.IntegerField(
        required=False, help_text="How much more should have been taken back but was already spent."
    )
    kept = serializers.CharField(required=False, help_text="Why it was not taken back; left out if it was.")


class _Explained(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(source="event.id", help_text="The event.")
    participant_id = serializers.CharField(source="event.participant.external_id", help_text="The participant.")
    event_name = serializers.CharField(source="event.name", help_text="Name of the event.")
    occurred_at = serializers.DateTimeField(source="event.occurred_at", help_text="When it happened.")
    recorded_at = serializers.DateTimeField(source="event.created_at", help_text="When it was recorded and evaluated.")
    is_pruned = serializers.BooleanField(
        help_text="Whether its trace was removed because it is too old or the participant was anonymised."
    )
    reversed_at = serializers.DateTimeField(
        source="event.reversed_at", allow_null=True, help_text="When it was reversed; null if it was not."
    )
    reversal_reason = serializers.CharField(
        source="event.reversal_reason", allow_null=True, help_text="Reason given for the reversal, or null."
    )
    undone = UndoneEntry(source="event.undone", many=True, help_text="What was taken back with it, in order.")


class ExplainedEvent(_Explained, TraceAnswer):
    """The event, then its trace."""


class ReversalBody(serializers.Serializer[Any]):
    reason = LineField(
        max_length=500,
        required=False,
        allow_null=True,
        help_text="Reason of the reversal. It is stored with the event.",
    )


class ReversedEvent(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(help_text="The event.")
    participant_id = serializers.CharField(help_text="The participant.")
    event_name = serializers.CharField(help_text="Name of the event.")
    reason = serializers.CharField(allow_null=True, help_text="Text given with the request, or null.")
    reversed_at = serializers.DateTimeField(help_text="When it was reversed; in a dry run, the time of the request.")
    undone = UndoneEntry(many=True, help_text="What resulted from the event, in the order in which it was taken back.")


class EventResult(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(allow_null=True, help_text="Id of the event in the history; null if it failed.")
    fact_id = serializers.UUIDField(
        allow_null=True, help_text="Id of the domain event `event.recorded`; null if it failed."
    )
    status = serializers.CharField(help_text="processed or error.")
    rewards_granted = RewardGranted(many=True, help_text="What this event earned, in order.")
    error = serializers.CharField(allow_null=True, help_text="Why it failed, for people; null if it did not.")
    code = serializers.CharField(
        allow_null=True, help_text="Code of the error, as in a single call; null if there is none."
    )


class EventBatchAnswer(serializers.Serializer[Any]):
    processed = serializers.IntegerField(help_text="How many succeeded, including replays.")
    failed = serializers.IntegerField(help_text="How many failed.")
    results = EventResult(many=True, help_text="One result per event, in the same order.")


class EventHistoryEntry(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The `event_id` of the call that recorded it.")
    event_name = serializers.CharField(source="name", help_text="Name of the event.")
    properties = ObjectField(help_text="Details that were reported with it.")
    occurred_at = serializers.DateTimeField(help_text="When it happened.")
    reversed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was reversed with everything that resulted from it; null if it was not."
    )


class EventHistory(ParticipantPage):
    events = EventHistoryEntry(many=True, help_text="This page's events, newest first.")
