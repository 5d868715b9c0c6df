"""Serializers of the points endpoints: bodies, queries and answers."""

from datetime import datetime, timedelta
from typing import Any

from rest_framework import serializers

from gamify.points.definitions import BoostChanges
from gamify.points.engine import MAX_AWARD, MIN_AWARD
from gamify.points.models import LedgerEntry
from gamify.points.profile import PointsSummary
from gamify.points.services import Change
from gamify.tiers.profile import TierSummary
from participants.api.answers import OmitsNull, shows
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import (
    BodyKeyField,
    LineField,
    MultiplierField,
    ObjectField,
    ParticipantIdField,
    ParticipantPage,
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
        help_text="Reason, for people who read the history.",
    )
    metadata = ObjectField(required=False, allow_null=True, help_text="Your own data, at most 16 KiB.")
    idempotency_key = BodyKeyField()


class CreditBody(ChangeBody):
    expires_at = CalendarInstantField(
        required=False, allow_null=True, help_text="When the points expire if they are not spent. Default: never."
    )
    expires_in_days = WholeNumberField(
        min_value=1,
        max_value=MAX_DAYS,
        required=False,
        allow_null=True,
        help_text="Alternative to `expires_at`: the points expire after this number of days of 24 hours.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("expires_at") is not None and attrs.get("expires_in_days") is not None:
            raise serializers.ValidationError({"expires_in_days": "Give either expires_at or expires_in_days."})
        return attrs


class DeductBody(ChangeBody):
    amount = WholeNumberField(min_value=1, max_value=2**63 - 1, help_text="Points to take.")


class BatchBody(serializers.Serializer[Any]):
    awards = serializers.ListField(
        child=CreditBody(),
        min_length=1,
        max_length=MAX_BATCH,
        help_text="The awards, in the order in which they are made.",
    )


def change_of(data: dict[str, Any], *, now: datetime, **overrides: Any) -> Change:
    """The `Change` of validated data. `overrides` replace its fields."""
    days = data.get("expires_in_days")
    return Change(
        participant_id=data["participant_id"],
        amount=data["amount"],
        reason=data.get("reason"),
        metadata=data.get("metadata") or {},
        expires_at=data.get("expires_at") if days is None else now + timedelta(days=days),
        **{"idempotency_key": data.get("idempotency_key"), **overrides},
    )


class TierUpgradeAnswer(TierSummary):
    previous_code = serializers.CharField(allow_null=True, help_text="Code of the tier before, or null.")
    previous_level = serializers.IntegerField(allow_null=True, help_text="Level of the tier before, or null.")


class UnlockedBadge(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="Code of the badge.")
    name = serializers.CharField(help_text="Its name.")


class DeductedAnswer(serializers.Serializer[Any]):
    transaction_id = serializers.UUIDField(help_text="Id of the entry in the participant's history.")
    participant_id = ParticipantIdField()
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    new_balance = serializers.IntegerField(help_text="The balance after the change.")


class _WithMultiplier(OmitsNull):
    base_amount = serializers.IntegerField(required=False, help_text="Requested points; only if they were multiplied.")
    multiplier = MultiplierField(required=False, help_text="What they were multiplied by; only if they were.")

    optional_fields: tuple[str, ...] = ("base_amount", "multiplier")


class AwardedAnswer(DeductedAnswer, _WithMultiplier):
    tier_upgrade = TierUpgradeAnswer(allow_null=True, help_text="The tier that was reached by this award, or null.")
    badges_unlocked = UnlockedBadge(many=True, help_text="Badges that were earned by this award.")


class BatchResult(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    transaction_id = serializers.UUIDField(
        allow_null=True, help_text="Id of the entry in the history; null if it failed."
    )
    new_balance = serializers.IntegerField(allow_null=True, help_text="The balance after it; null if it failed.")
    error = serializers.CharField(allow_null=True, help_text="Why it failed, for people; null if it succeeded.")
    code = serializers.CharField(allow_null=True, help_text="Error code, as in a single call; null if it succeeded.")


class BatchAnswer(serializers.Serializer[Any]):
    processed = serializers.IntegerField(help_text="How many succeeded, replays included.")
    failed = serializers.IntegerField(help_text="How many failed.")
    results = BatchResult(many=True, help_text="One for each award, in the same order.")


class PointsQuery(serializers.Serializer[Any]):
    at = InstantField(required=False, help_text="The instant of the answer; UTC without an offset. Default: now.")


class PointsAnswer(PointsSummary):
    participant_id = ParticipantIdField()
    at = serializers.DateTimeField(required=False, help_text="The requested instant; only if one was given.")


class EntryReversalBody(serializers.Serializer[Any]):
    reason = LineField(max_length=500, required=False, allow_null=True, help_text="Reason, stored in the ledger.")


class ReversedEntry(serializers.Serializer[Any]):
    transaction_id = serializers.UUIDField(allow_null=True, help_text="Id of the new entry; null for a dry run.")
    reversed_id = serializers.UUIDField(help_text="Id of the entry that was undone.")
    participant_id = ParticipantIdField()
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    delta = serializers.IntegerField(help_text="Points moved, negative if they were taken.")
    new_balance = serializers.IntegerField(help_text="The balance after it.")
    reason = serializers.CharField(allow_null=True, help_text="The given reason, or null.")


@shows(BoostChanges)
class BoostAnswer(DefinitionAnswer):
    """A boost as it is stored."""


class Transaction(_WithMultiplier, serializers.ModelSerializer[LedgerEntry]):
    amount = serializers.IntegerField(help_text="Points moved, positive.")
    delta = serializers.IntegerField(help_text="Points moved, negative if they were taken.")
    metadata = ObjectField(help_text="The metadata of the call.")
    expires_at = serializers.DateTimeField(
        required=False, help_text="When its unspent points expire, or expired; only if they do."
    )

    optional_fields = ("base_amount", "multiplier", "expires_at")

    class Meta:
        model = LedgerEntry
        fields = [
            "id", "type", "amount", "delta", "balance_after", "reason", "metadata", "created_at",
            "base_amount", "multiplier", "expires_at",
        ]  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {
            "id": {"help_text": "The `transaction_id` in the answer of the call."},
            "type": {"help_text": "The kind of change."},
            "balance_after": {"help_text": "The balance after this entry."},
            "reason": {"help_text": "The reason given with the call."},
            "created_at": {"help_text": "When the entry was written."},
        }


class TransactionPage(ParticipantPage):
    transactions = Transaction(many=True, help_text="This page's entries, newest first.")
