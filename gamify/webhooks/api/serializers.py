"""Queries and answers of webhooks, their deliveries, and the feed."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.webhooks.definitions import WebhookChanges, types_matching
from gamify.webhooks.engine.messages import message_of
from gamify.webhooks.models import Delivery, DeliveryStatus
from gamify.webhooks.selectors.feed import FeedPage
from gamify.webhooks.services.replaying import MISSED
from participants.api.actors import actor_field, request_id_field
from participants.api.answers import shows
from participants.api.fields import CodesField, ParticipantIdField
from participants.api.scalars import CalendarInstantField, TextField, WholeNumberField
from participants.api.warnings import warnings_field
from participants.errors import InvalidInput
from participants.profile import AnyField

REPLAY_STATUSES = [DeliveryStatus.FAILED.value, DeliveryStatus.SUCCEEDED.value, MISSED]


class _WebhookIds(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Its id, by which it is changed.")
    tenant_id = serializers.UUIDField(help_text="Your tenant's id; in the sandbox, the sandbox's.")


@shows(WebhookChanges)
class WebhookAnswer(_WebhookIds):
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Time of the first failure after its last success; null: it does not fail."
    )
    disabled_at = serializers.DateTimeField(allow_null=True, help_text="When the product disabled it, or null.")
    disabled_reason = serializers.CharField(
        source="disabled_because",
        allow_null=True,
        help_text="Why the product disabled it: `gone` (it answered 410) or `failing` (for five days). Null: it did not.",
    )
    created_at = serializers.DateTimeField(help_text="When it was created.")
    updated_at = serializers.DateTimeField(help_text="When it was changed last.")
    warnings = warnings_field()


class WebhookWithSecret(WebhookAnswer):
    secret = serializers.CharField(help_text="The secret that signs its deliveries. Store it: it is not shown again.")
    former_secret_valid_until = serializers.DateTimeField(
        source="former_until",
        allow_null=True,
        help_text="Until then the former secret signs deliveries as well; null: there is none.",
    )


class Deleted(serializers.Serializer[Any]):
    message = serializers.CharField(help_text="What was done, for people.")


class TryAnswer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="When the try started.")
    status_code = serializers.IntegerField(
        allow_null=True, help_text="HTTP status of the answer; null: there was none."
    )
    duration_ms = serializers.IntegerField(help_text="How long it took, in milliseconds.")
    error = serializers.CharField(allow_null=True, help_text="Why it failed; null: it succeeded.")


class DeliveryAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The delivery.")
    webhook_id = serializers.UUIDField(source="endpoint_id", help_text="The webhook.")
    event_id = serializers.UUIDField(help_text="Id of the event: the same in every try, and in the feed.")
    event_type = serializers.CharField(source="type", help_text="Type of the event.")
    status = serializers.ChoiceField(
        choices=DeliveryStatus.choices, help_text="`failed` after the last of ten tries; `pending` until then."
    )
    tries = serializers.IntegerField(help_text="Number of tries since the last replay.")
    next_try_at = serializers.DateTimeField(
        source="due_at", allow_null=True, help_text="When it is tried next; null: there is no further try."
    )
    created_at = serializers.DateTimeField(help_text="When it was created.")
    finished_at = serializers.DateTimeField(
        allow_null=True, help_text="When it succeeded or finally failed; null: it is pending."
    )
    attempts = serializers.SerializerMethodField(help_text="The tries, oldest first; the newest 50.")

    @extend_schema_field(TryAnswer(many=True))
    def get_attempts(self, delivery: Delivery) -> list[dict[str, Any]]:
        names = ("at", "status_code", "duration_ms", "error")
        return [dict(zip(names, entry, strict=True)) for entry in delivery.log]


class DeliveriesQuery(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        choices=DeliveryStatus.choices, required=False, help_text="Only deliveries with this status."
    )


class ReplayQuery(serializers.Serializer[Any]):
    to = CalendarInstantField(
        required=False, help_text="End of the period; events at this instant and later are excluded. Default: now."
    )
    status = serializers.ChoiceField(
        choices=REPLAY_STATUSES,
        required=False,
        help_text="Only deliveries that `failed` (also those that will be tried again) or `succeeded`, or only events that it `missed` "
        "because it was inactive. Default: all of these.",
    )

    def get_fields(self) -> dict[str, AnyField]:
        """Add `from`, which is a keyword in Python and cannot be a class attribute."""
        begin = CalendarInstantField(help_text="Start of the period; events at this instant are included.")
        return {"from": begin, **super().get_fields()}


class Replayed(serializers.Serializer[Any]):
    replayed = serializers.IntegerField(help_text="How many deliveries will be made.")


class TypesField(CodesField):
    """Globs of event types. The value is the list of types that match."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        globs = super().run_validation(data)
        try:
            return None if globs is None else types_matching(globs)
        except InvalidInput as refusal:
            raise serializers.ValidationError(refusal.errors[0].message) from refusal


class FeedFilterQuery(serializers.Serializer[Any]):
    types = TypesField(required=False, default=None, help_text="Only these event types: `streak.*,points.awarded`.")
    participant_id = ParticipantIdField(required=False, help_text="Only events about this participant.")


class FeedQuery(FeedFilterQuery):
    after = TextField(
        max_length=20,
        required=False,
        help_text="A `next_cursor`: events after it. `latest`: events from now on. Default: from the oldest event.",
    )
    limit = WholeNumberField(min_value=1, max_value=1000, default=100, help_text="Maximum number of events.")


class FeedEvent(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Id of the event: the same in the feed, in the stream and in `webhook-id`.")
    type = serializers.CharField(help_text="What happened, such as `streak.broken`.")
    occurred_at = serializers.DateTimeField(help_text="When it happened.")
    tenant_id = serializers.UUIDField(help_text="Your tenant's id; in the sandbox, the sandbox's.")
    data = serializers.DictField(  # type: ignore[assignment]  # serializers have an attribute of this name
        help_text="The fields of its type: see the webhooks of this document."
    )
    actor = actor_field()
    request_id = request_id_field()


class FeedAnswer(serializers.Serializer[Any]):
    events = FeedEvent(many=True, help_text="Events; those of one participant are in the order in which they happened.")
    next_cursor = serializers.CharField(
        help_text="Value of `after` in the next call, also if there are no more events now."
    )
    has_more = serializers.BooleanField(help_text="Whether there are more events now.")


def feed_answer(page: FeedPage) -> dict[str, Any]:
    """Build the answer directly: a serializer would only copy each event field by field."""
    return {
        "events": [message_of(event) for event in page.events],
        "next_cursor": str(page.cursor),
        "has_more": page.has_more,
    }
