"""Bodies, queries and answers about points."""

from datetime import datetime, timedelta
from typing import Any

from rest_framework import serializers

from gamify.points.models import LedgerEntry
from gamify.points.profile import PointsSummary
from gamify.points.services import MAX_AWARD, MIN_AWARD, Change
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import (
    BodyKeyField,
    LineField,
    MultiplierField,
    ObjectField,
    ParticipantIdField,
)
from participants.api.scalars import CalendarInstantField, InstantField, TextField, WholeNumberField

MAX_BATCH = 100
MAX_DAYS = 36_525


class ChangeBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    amount = WholeNumberField(min_value=MIN_AWARD, max_value=MAX_AWARD, help_text="Points to add.")
    reason = TextField(
        max_length=500,
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Why, for people who read the history.",
    )
    metadata = ObjectField(required=False, allow_null=True, help_text="Your own data, at most 16 KiB.")
    idempotency_key = BodyKeyField()


class CreditBody(ChangeBody):
    expires_at = CalendarInstantField(
        required=False, allow_null=True, help_text="When what is not spent of them expires; never when left out."
    )
    expires_in_days = WholeNumberField(
        min_value=1,
        max_value=MAX_DAYS,
        required=False,
        allow_null=True,
        help_text="The same, as so many times 24 hours from now.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("expires_at") is not None and attrs.get("expires_in_days") is not None:
            raise serializers.ValidationError({"expires_in_days": "Give either expires_at or expires_in_days."})
        return attrs


class DeductBody(ChangeBody):
    amount = WholeNumberField(min_value=1, max_value=2**63 - 1, help_text="Points to take.")


class BatchBody(serializers.Serializer[Any]):
    awards = serializers.ListField(
        child=CreditBody(), min_length=1, max_length=MAX_BATCH, help_text="Awards, made in this order."
    )


def change_of(data: dict[str, Any], *, now: datetime, **given: Any) -> Change:
    """The command that validated data stands for; `given` replaces what the body said."""
    days = data.get("expires_in_days")
    return Change(
        participant_id=data["participant_id"],
        amount=data["amount"],
        reason=data.get("reason"),
        metadata=data.get("metadata") or {},
        expires_at=data.get("expires_at") if days is None else now + timedelta(days=days),
        **{"idempotency_key": data.get("idempotency_key"), **given},
    )


class TierUpgradeAnswer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the tier.")
    name = serializers.CharField(help_text="Its name.")
    level = serializers.IntegerField(help_text="Its level; higher is better.")
    previous_code = serializers.CharField(allow_null=True, help_text="Code of the tier before, or null.")
    previous_level = serializers.IntegerField(allow_null=True, help_text="Level of the tier before, or null.")


class UnlockedBadge(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the badge.")
    name = serializers.CharField(help_text="Its name.")


class DeductedAnswer(serializers.Serializer[Any]):
    transaction_id = serializers.UUIDField(help_text="The entry in the participant's history.")
    participant_id = ParticipantIdField()
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    new_balance = serializers.IntegerField(help_text="The balance right after.")


class _WithMultiplier(serializers.Serializer[Any]):
    """What is told only where something multiplied the points."""

    base_amount = serializers.IntegerField(
        required=False, help_text="Points asked for; only where something multiplied them."
    )
    multiplier = MultiplierField(required=False, help_text="By what they were multiplied; only where something did.")

    optional_fields: tuple[str, ...] = ("base_amount", "multiplier")

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return {name: value for name, value in shown.items() if value is not None or name not in self.optional_fields}


class AwardedAnswer(DeductedAnswer, _WithMultiplier):
    tier_upgrade = TierUpgradeAnswer(allow_null=True, help_text="The tier this award led into, or null.")
    badges_unlocked = UnlockedBadge(many=True, help_text="Badges that this award earned.")


class BatchResult(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    transaction_id = serializers.UUIDField(allow_null=True, help_text="The entry in the history; null if it failed.")
    new_balance = serializers.IntegerField(allow_null=True, help_text="The balance right after; null if it failed.")
    error = serializers.CharField(allow_null=True, help_text="Why it failed, for people; else null.")
    code = serializers.CharField(allow_null=True, help_text="Code of the error, as in a single call; else null.")


class BatchAnswer(serializers.Serializer[Any]):
    processed = serializers.IntegerField(help_text="How many succeeded, replays included.")
    failed = serializers.IntegerField(help_text="How many failed.")
    results = BatchResult(many=True, help_text="One for each award, in the same order.")


class PointsQuery(serializers.Serializer[Any]):
    at = InstantField(required=False, help_text="As it was then; UTC where no offset is given. Now when left out.")


class PointsAnswer(PointsSummary):
    participant_id = ParticipantIdField()
    at = serializers.DateTimeField(required=False, help_text="The moment that was asked for; only where one was.")


class EntryReversalBody(serializers.Serializer[Any]):
    reason = LineField(max_length=500, required=False, allow_null=True, help_text="Why; it stands in the ledger.")


class ReversedEntry(serializers.Serializer[Any]):
    transaction_id = serializers.UUIDField(allow_null=True, help_text="The new entry; null after a dry run.")
    reversed_id = serializers.UUIDField(help_text="The entry that it undoes.")
    participant_id = ParticipantIdField()
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    delta = serializers.IntegerField(help_text="Points moved, negative where they were taken.")
    new_balance = serializers.IntegerField(help_text="The balance right after.")
    reason = serializers.CharField(allow_null=True, help_text="The reason given, or null.")


class BoostAnswer(DefinitionAnswer):
    multiplier = MultiplierField(help_text="By what awards are multiplied while it lasts.")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="From when on; null: ever since.")
    ends_at = serializers.DateTimeField(allow_null=True, help_text="When it ends; null: never.")


class Transaction(_WithMultiplier, serializers.ModelSerializer[LedgerEntry]):
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    delta = serializers.IntegerField(help_text="Points moved, negative where they were taken.")
    metadata = ObjectField(help_text="What came with the call.")
    expires_at = serializers.DateTimeField(
        required=False, help_text="When what was not spent of it expires, or did; only where it does."
    )

    only_where_given = ("base_amount", "multiplier", "expires_at")

    class Meta:
        model = LedgerEntry
        fields = [
            "id", "type", "amount", "delta", "balance_after", "reason", "metadata", "created_at",
            "base_amount", "multiplier", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "The `transaction_id` of the call that made it."},
            "type": {"help_text": "What kind of change it is."},
            "balance_after": {"help_text": "The balance right after."},
            "reason": {"help_text": "The reason given with the call."},
            "created_at": {"help_text": "When it was made."},
        }


class TransactionPage(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    transactions = Transaction(many=True, help_text="This page's entries, newest first.")
    total = serializers.IntegerField(help_text="How many there are on all pages together.")
    page = serializers.IntegerField(help_text="The page asked for.")
    page_size = serializers.IntegerField(help_text="The page size asked for.")
