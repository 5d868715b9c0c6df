"""Bodies, queries and answers about points."""

from typing import Any

from rest_framework import serializers

from gamify.points.models import LedgerEntry
from gamify.points.services import MAX_AWARD, MIN_AWARD, Change
from participants.api.fields import BodyKeyField, ObjectField, ParticipantIdField

MAX_BATCH = 100


class ChangeBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    amount = serializers.IntegerField(min_value=MIN_AWARD, max_value=MAX_AWARD)
    reason = serializers.CharField(
        max_length=500, required=False, allow_null=True, allow_blank=True, trim_whitespace=False
    )
    metadata = ObjectField(required=False, allow_null=True, help_text="Your own data, at most 16 KiB.")
    idempotency_key = BodyKeyField()


class DeductBody(ChangeBody):
    amount = serializers.IntegerField(min_value=1, max_value=2**63 - 1)


class BatchBody(serializers.Serializer[Any]):
    awards = serializers.ListField(child=ChangeBody(), min_length=1, max_length=MAX_BATCH)


def change_of(data: dict[str, Any], **given: Any) -> Change:
    """The command that validated data stands for; `given` replaces what the body said."""
    return Change(
        participant_id=data["participant_id"],
        amount=data["amount"],
        reason=data.get("reason"),
        metadata=data.get("metadata") or {},
        **{"idempotency_key": data.get("idempotency_key"), **given},
    )


class TierUpgradeAnswer(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()
    level = serializers.IntegerField()
    previous_code = serializers.CharField(allow_null=True)
    previous_level = serializers.IntegerField(allow_null=True)


class UnlockedBadge(serializers.Serializer[Any]):
    code = serializers.CharField()
    name = serializers.CharField()


class DeductedAnswer(serializers.Serializer[Any]):
    transaction_id = serializers.UUIDField()
    participant_id = ParticipantIdField()
    amount = serializers.IntegerField(help_text="What was moved, positive.")
    new_balance = serializers.IntegerField()


class AwardedAnswer(DeductedAnswer):
    tier_upgrade = TierUpgradeAnswer(allow_null=True, help_text="The tier this award led into, or null.")
    badges_unlocked = UnlockedBadge(many=True)


class BatchResult(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    transaction_id = serializers.UUIDField(allow_null=True)
    new_balance = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_null=True, help_text="Code of the error, as in a single call.")


class BatchAnswer(serializers.Serializer[Any]):
    processed = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = BatchResult(many=True)


class PointsAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    balance = serializers.IntegerField()
    total_earned = serializers.IntegerField()
    total_spent = serializers.IntegerField()


class Transaction(serializers.ModelSerializer[LedgerEntry]):
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    delta = serializers.IntegerField(help_text="Points moved, negative where they were taken.")

    class Meta:
        model = LedgerEntry
        fields = ["id", "type", "amount", "delta", "balance_after", "reason", "metadata", "created_at"]


class TransactionPage(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    transactions = Transaction(many=True)
    total = serializers.IntegerField()
    page = serializers.IntegerField()
    page_size = serializers.IntegerField()
