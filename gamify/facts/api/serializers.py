"""Bodies, queries and answers about events."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from gamify.facts.engine.events import MAX_EVENT_NAME, EventInput, name_problem
from gamify.facts.models import Event
from participants.api.fields import BodyKeyField, LineField, ObjectField, PageQuery, ParticipantIdField
from participants.api.scalars import DayField, InstantField, SwitchField, TextField

MAX_BATCH = 100


class EventNameField(LineField):
    """The name of an event that happened."""

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
    properties = ObjectField(
        required=False, allow_null=True, help_text="What there is to tell about it, at most 16 KiB."
    )
    timestamp = InstantField(
        required=False, allow_null=True, help_text="When it happened; now when left out, UTC where no offset is given."
    )
    idempotency_key = BodyKeyField()


class EventBatchBody(serializers.Serializer[Any]):
    events = serializers.ListField(
        child=EventBody(), min_length=1, max_length=MAX_BATCH, help_text="Events, recorded in this order."
    )


def event_input_from(data: dict[str, Any], *, now: datetime, **given: Any) -> EventInput:
    """The event that validated data tells of; `given` replaces what the body said."""
    return EventInput(
        participant_id=data["participant_id"],
        name=data["event_name"],
        at=data.get("timestamp") or now,
        properties=data.get("properties") or {},
        **{"idempotency_key": data.get("idempotency_key"), **given},
    )


class HistoryQuery(PageQuery):
    event_name = TextField(required=False, help_text="Only events of exactly this name.")
    from_date = DayField(required=False, help_text="Only events of this day and later: YYYY-MM-DD, in UTC.")
    to_date = DayField(required=False, help_text="Only events of this day and earlier: YYYY-MM-DD, in UTC.")


class GrantSource(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="What kind of definition granted it.")
    code = serializers.CharField(help_text="Code of that definition.")


class RewardGranted(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="points, badge, reward, tier, challenge or streak_milestone.")
    code = serializers.CharField(required=False, help_text="Code of what was given, where it has one.")
    id = serializers.UUIDField(required=False, help_text="Id of what was given, where it has no code.")
    name = serializers.CharField(help_text="Its name, for people.")
    amount = serializers.IntegerField(required=False, help_text="Points credited.")
    source = GrantSource(help_text="What it came of.")  # type: ignore[assignment]  # DRF collects fields, it keeps its own


class EmittedAnswer(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(help_text="The event in the participant's history.")
    fact_id = serializers.UUIDField(help_text="The domain event that tells of it.")
    status = serializers.CharField(help_text="Always processed.")
    rewards_granted = RewardGranted(many=True, help_text="What this event earned, in order.")


class JudgedCondition(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Dotted path of what was looked at.")
    operator = serializers.CharField(help_text="How it was compared.")
    expected = serializers.JSONField(help_text="With what.")
    actual = serializers.JSONField(required=False, help_text="What was there; left out where there was nothing.")
    holds = serializers.BooleanField(help_text="Whether that was so.")


class HeardBy(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="streak, challenge, badge or rule.")
    code = serializers.CharField(help_text="Code of the definition.")
    result = serializers.CharField(help_text="What it came to: matched, not_matched, limited, counted and so on.")
    note = serializers.CharField(required=False, help_text="A word more, for people.")
    conditions = JudgedCondition(many=True, required=False, help_text="What its expression asked, in order.")


class TracedFact(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The event, or the change that came of it.")
    is_change = serializers.BooleanField(help_text="Whether it is a change of the product's own.")
    depth = serializers.IntegerField(help_text="How many facts led here.")
    heard = HeardBy(many=True, help_text="The definitions that listened, in order.")
    more = serializers.IntegerField(required=False, help_text="How many more listened and did not match.")


class RefusedGrant(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="What kind was to be given.")
    source = GrantSource(help_text="What granted it.")  # type: ignore[assignment]  # DRF collects fields, it keeps its own
    reason = serializers.CharField(help_text="Why it was not given.")


class TraceAnswer(serializers.Serializer[Any]):
    facts = TracedFact(
        many=True, help_text="The event, then the changes that came of it, in the order they were heard."
    )
    granted = RewardGranted(many=True, help_text="What was given, in order.")
    refused = RefusedGrant(many=True, help_text="What was to be given and was not.")
    cut = serializers.ListField(
        child=serializers.CharField(), help_text="What was not followed, since chains have an end."
    )


class UndoneEntry(serializers.Serializer[Any]):
    type = serializers.CharField(
        help_text="In the words of `rewards_granted`; also streak_tick, challenge_progress, challenge_milestone, and event "
        "where what it was counted for is not known any more."
    )
    code = serializers.CharField(required=False, help_text="Code of what was taken back, where it has one.")
    id = serializers.UUIDField(required=False, help_text="Id of what was taken back, where it has no code.")
    name = serializers.CharField(help_text="Its name, for people.")
    amount = serializers.IntegerField(required=False, help_text="How much was taken back, where that is a number.")
    shortfall = serializers.IntegerField(
        required=False, help_text="How much more there was to take back and was spent."
    )
    kept = serializers.CharField(required=False, help_text="Why it stands and was not taken back; else left out.")


class _Explained(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(source="event.id", help_text="The event.")
    participant_id = serializers.CharField(source="event.participant.external_id", help_text="Whose it is.")
    event_name = serializers.CharField(source="event.name", help_text="What happened.")
    occurred_at = serializers.DateTimeField(source="event.occurred_at", help_text="When it happened.")
    recorded_at = serializers.DateTimeField(
        source="event.created_at", help_text="When it was told of, and decided about."
    )
    is_pruned = serializers.BooleanField(
        help_text="Whether its trace was removed: it is too old, or its participant was anonymised."
    )
    reversed_at = serializers.DateTimeField(
        source="event.reversed_at", allow_null=True, help_text="When it was undone; null while it stands."
    )
    reversal_reason = serializers.CharField(
        source="event.reversal_reason", allow_null=True, help_text="Why it was undone, or null."
    )
    undone = UndoneEntry(source="event.undone", many=True, help_text="What was taken back with it, in order.")


class ExplainedEvent(_Explained, TraceAnswer):
    """The event, then its trace."""


class ReversalBody(serializers.Serializer[Any]):
    reason = LineField(max_length=500, required=False, allow_null=True, help_text="Why, for the record.")


class ReversalQuery(serializers.Serializer[Any]):
    dry_run = SwitchField(default=False, help_text="Only tell what would be undone.")


class ReversedEvent(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(help_text="The event.")
    participant_id = serializers.CharField(help_text="Whose it is.")
    event_name = serializers.CharField(help_text="What had happened.")
    reason = serializers.CharField(allow_null=True, help_text="Text given with the request, or null.")
    reversed_at = serializers.DateTimeField(help_text="When it was reversed; of a dry run, when it was asked.")
    undone = UndoneEntry(many=True, help_text="What came of the event, in the order in which it was taken back.")


class EventResult(serializers.Serializer[Any]):
    event_id = serializers.UUIDField(allow_null=True, help_text="The event in the history; null if it failed.")
    fact_id = serializers.UUIDField(allow_null=True, help_text="The domain event that tells of it; null if it failed.")
    status = serializers.CharField(help_text="processed or error.")
    rewards_granted = RewardGranted(many=True, help_text="What this event earned, in order.")
    error = serializers.CharField(allow_null=True, help_text="Why it failed, for people; else null.")
    code = serializers.CharField(allow_null=True, help_text="Code of the error, as in a single call; else null.")


class EventBatchAnswer(serializers.Serializer[Any]):
    processed = serializers.IntegerField(help_text="How many succeeded, replays included.")
    failed = serializers.IntegerField(help_text="How many failed.")
    results = EventResult(many=True, help_text="One for each event, in the same order.")


class EventHistoryEntry(serializers.ModelSerializer[Event]):
    event_name = serializers.CharField(source="name", help_text="What happened.")
    properties = ObjectField(help_text="What was told about it.")

    class Meta:
        model = Event
        fields = ["id", "event_name", "properties", "occurred_at", "reversed_at"]
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "The `event_id` of the call that recorded it."},
            "occurred_at": {"help_text": "When it happened."},
            "reversed_at": {"help_text": "When it was undone with everything that came of it; null while it stands."},
        }


class EventHistory(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    events = EventHistoryEntry(many=True, help_text="This page's events, newest first.")
    total = serializers.IntegerField(help_text="How many match on all pages together.")
    page = serializers.IntegerField(help_text="The page asked for.")
    page_size = serializers.IntegerField(help_text="The page size asked for.")
