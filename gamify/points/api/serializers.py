"""Bodies, queries and answers about points."""

from typing import Any

from rest_framework import serializers

from gamify.points.models import LedgerEntry
from gamify.points.profile import PointsSummary
from gamify.points.services import MAX_AWARD, MIN_AWARD, Change
from participants.api.fields import BodyKeyField, ObjectField, ParticipantIdField, WholeNumberField

MAX_BATCH = 100


class ChangeBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    amount = WholeNumberField(min_value=MIN_AWARD, max_value=MAX_AWARD, help_text="Points to add.")
    reason = serializers.CharField(
        max_length=500,
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Why, for people who read the history.",
    )
    metadata = ObjectField(required=False, allow_null=True, help_text="Your own data, at most 16 KiB.")
    idempotency_key = BodyKeyField()


class DeductBody(ChangeBody):
    amount = WholeNumberField(min_value=1, max_value=2**63 - 1, help_text="Points to take.")


class BatchBody(serializers.Serializer[Any]):
    awards = serializers.ListField(
        child=ChangeBody(), min_length=1, max_length=MAX_BATCH, help_text="Awards, made in this order."
    )


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


class AwardedAnswer(DeductedAnswer):
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


class PointsAnswer(PointsSummary):
    participant_id = ParticipantIdField()


class Transaction(serializers.ModelSerializer[LedgerEntry]):
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    delta = serializers.IntegerField(help_text="Points moved, negative where they were taken.")
    metadata = ObjectField(help_text="What came with the call.")

    class Meta:
        model = LedgerEntry
        fields = ["id", "type", "amount", "delta", "balance_after", "reason", "metadata", "created_at"]
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
