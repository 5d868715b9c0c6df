"""Bodies, queries and answers about webhooks, their deliveries, and the feed."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.webhooks.definitions import types_matching
from gamify.webhooks.engine.messages import message_of
from gamify.webhooks.models import Delivery, DeliveryStatus, Endpoint
from gamify.webhooks.selectors.feed import FeedPage
from gamify.webhooks.services.replaying import MISSED
from participants.api.fields import CodesField, ParticipantIdField
from participants.api.scalars import CalendarInstantField, TextField, WholeNumberField
from participants.api.warnings import warnings_field
from participants.errors import InvalidInput
from participants.profile import AnyField

REPLAY_STATUSES = [DeliveryStatus.FAILED.value, DeliveryStatus.SUCCEEDED.value, MISSED]


class WebhookAnswer(serializers.ModelSerializer[Endpoint]):
    tenant_id = serializers.UUIDField(help_text="Your tenant's id; in the sandbox, the sandbox's.")
    event_types = serializers.ListField(child=serializers.CharField(), help_text="The types of event that it wants.")
    warnings = warnings_field()
    disabled_reason = serializers.CharField(
        source="disabled_because",
        allow_null=True,
        help_text="`gone`: it answered 410. `failing`: for five days. Null where it was not disabled by the product.",
    )

    class Meta:
        model = Endpoint
        fields = [
            "id",
            "tenant_id",
            "url",
            "description",
            "event_types",
            "is_active",
            "failing_since",
            "disabled_at",
            "disabled_reason",
            "created_at",
            "updated_at",
            "warnings",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "Its id, by which it is changed."},
            "url": {"help_text": "Where its deliveries go."},
            "description": {"help_text": "For people, or null."},
            "is_active": {"help_text": "Whether it is delivered to."},
            "failing_since": {"help_text": "Since when it has failed without a success in between; null: it does not."},
            "disabled_at": {"help_text": "When deliveries to it were stopped by the product, or null."},
            "created_at": {"help_text": "When it was created."},
            "updated_at": {"help_text": "When it was changed last."},
        }


class WebhookWithSecret(WebhookAnswer):
    secret = serializers.CharField(help_text="What its deliveries are signed with. Keep it: it is not shown again.")
    former_secret_valid_until = serializers.DateTimeField(
        source="former_until",
        allow_null=True,
        help_text="Until then deliveries are signed with the secret before this one, too; null: there is none.",
    )

    class Meta(WebhookAnswer.Meta):
        fields = [*WebhookAnswer.Meta.fields, "secret", "former_secret_valid_until"]
        read_only_fields = fields


class Deleted(serializers.Serializer[Any]):
    message = serializers.CharField(help_text="What was done, for people.")


class TryAnswer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="When it began.")
    status_code = serializers.IntegerField(allow_null=True, help_text="What the endpoint answered; null: nothing.")
    duration_ms = serializers.IntegerField(help_text="How long it took, in milliseconds.")
    error = serializers.CharField(allow_null=True, help_text="Why it counts as failed; null: it does not.")


class DeliveryAnswer(serializers.ModelSerializer[Delivery]):
    webhook_id = serializers.UUIDField(source="endpoint_id", help_text="The webhook.")
    event_id = serializers.UUIDField(help_text="Id of the event: the same with every try, and in the feed.")
    event_type = serializers.CharField(source="type", help_text="Type of the event.")
    next_try_at = serializers.DateTimeField(
        source="due_at", allow_null=True, help_text="When it is tried next; null: not any more."
    )
    attempts = serializers.SerializerMethodField(help_text="The tries, oldest first; the newest 50.")

    class Meta:
        model = Delivery
        fields = [
            "id",
            "webhook_id",
            "event_id",
            "event_type",
            "status",
            "tries",
            "next_try_at",
            "created_at",
            "finished_at",
            "attempts",
        ]
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "The delivery."},
            "status": {"help_text": "`failed` after the last of ten tries; `pending` until then."},
            "tries": {"help_text": "How often it was tried, since it was replayed last."},
            "created_at": {"help_text": "When it was to be delivered first."},
            "finished_at": {"help_text": "When it succeeded, or failed for the last time; else null."},
        }

    @extend_schema_field(TryAnswer(many=True))
    def get_attempts(self, delivery: Delivery) -> list[dict[str, Any]]:
        names = ("at", "status_code", "duration_ms", "error")
        return [dict(zip(names, entry, strict=True)) for entry in delivery.log]


class DeliveriesQuery(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        choices=DeliveryStatus.choices, required=False, help_text="Only those of this status."
    )


class ReplayQuery(serializers.Serializer[Any]):
    to = CalendarInstantField(
        required=False, help_text="What happened from this instant on is left out; now when it is not given."
    )
    status = serializers.ChoiceField(
        choices=REPLAY_STATUSES,
        required=False,
        help_text="Only what `failed` (also where another try is due), what `succeeded`, or what it `missed` since it was inactive; all when left out.",
    )

    def get_fields(self) -> dict[str, AnyField]:
        """`from` is a word that Python keeps for itself."""
        begin = CalendarInstantField(help_text="What happened from this instant on.")
        return {"from": begin, **super().get_fields()}


class Replayed(serializers.Serializer[Any]):
    replayed = serializers.IntegerField(help_text="How many deliveries are to be made.")


class TypesField(CodesField):
    """Types of event; cleans to the types there are that are meant."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        globs = super().run_validation(data)
        try:
            return None if globs is None else types_matching(globs)
        except InvalidInput as refusal:
            raise serializers.ValidationError(refusal.errors[0].message) from refusal


class FeedFilterQuery(serializers.Serializer[Any]):
    types = TypesField(required=False, default=None, help_text="Only these types: `streak.*,points.awarded`.")
    participant_id = ParticipantIdField(required=False, help_text="Only what is about this participant.")


class FeedQuery(FeedFilterQuery):
    after = TextField(
        max_length=20,
        required=False,
        help_text="A `next_cursor`: what comes behind it. From the oldest event when left out; `latest`: from now on.",
    )
    limit = WholeNumberField(min_value=1, max_value=1000, default=100, help_text="Events at most.")


class FeedEvent(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="The event: the same in the feed, in the stream and as `webhook-id`.")
    type = serializers.CharField(help_text="What happened, such as `streak.broken`.")
    occurred_at = serializers.DateTimeField(help_text="When.")
    tenant_id = serializers.UUIDField(help_text="Your tenant's id; in the sandbox, the sandbox's.")
    data = serializers.DictField(  # type: ignore[assignment]  # a serializer has one of its own
        help_text="The fields of its type: see the webhooks of this document."
    )


class FeedAnswer(serializers.Serializer[Any]):
    events = FeedEvent(many=True, help_text="Each participant's in the order in which they happened.")
    next_cursor = serializers.CharField(help_text="What to ask for next, also where there is no more for now.")
    has_more = serializers.BooleanField(help_text="Whether there is more already.")


def feed_answer(page: FeedPage) -> dict[str, Any]:
    """Already as it is written: a serializer would take the events apart, and put them together again."""
    return {
        "events": [message_of(event) for event in page.events],
        "next_cursor": str(page.cursor),
        "has_more": page.has_more,
    }
