"""Bodies, queries and answers of rewards."""

from typing import Any

from rest_framework import serializers

from participants.api.answers import OmitsNull, shows
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import (
    BodyKeyField,
    LineField,
    PageQuery,
    ParticipantIdField,
    ParticipantPage,
    VisibleLineField,
)
from participants.api.scalars import FlagField, WholeNumberField
from rewards.definitions import MAX_CODES, RewardChanges
from rewards.engine.code_lines import MAX_CODE
from rewards.models import ClaimStatus, RewardType

OFFERED_FIELDS = (
    "id", "name", "type", "description", "points_cost", "available_codes", "max_claims_per_user", "image_url",
)  # fmt: skip


class RewardQuery(PageQuery):
    page_size = WholeNumberField(min_value=1, max_value=100, default=100, help_text="Items per page.")
    reward_type = serializers.ChoiceField(
        choices=RewardType.choices, required=False, help_text="Only rewards of this type."
    )


class ClaimBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    points_deduction = FlagField(default=False, help_text="Whether to pay its price in points. Default: it is free.")
    idempotency_key = BodyKeyField()


class ClaimedAnswer(serializers.Serializer[Any]):
    claim_id = serializers.UUIDField(help_text="The claim.")
    participant_id = ParticipantIdField()
    reward_name = serializers.CharField(help_text="Name of the reward.")
    reward_type = serializers.ChoiceField(choices=RewardType.choices, help_text="Type of the reward.")
    code_value = serializers.CharField(allow_null=True, help_text="The code; null if the reward has no codes.")
    points_deducted = serializers.IntegerField(help_text="Points that were paid.")
    new_balance = serializers.IntegerField(help_text="The balance after the claim.")


class ClaimEntry(OmitsNull):
    claim_id = serializers.UUIDField(source="id", help_text="The claim.")
    reward_id = serializers.UUIDField(help_text="The reward.")
    reward_name = serializers.CharField(help_text="The reward's name at the time of the claim.")
    reward_type = serializers.ChoiceField(
        choices=RewardType.choices, help_text="The reward's type at the time of the claim."
    )
    code_value = serializers.CharField(allow_null=True, help_text="The code, or null.")
    points_deducted = serializers.IntegerField(help_text="Points that were paid.")
    status = serializers.ChoiceField(
        choices=ClaimStatus.choices,
        help_text="`pending`: granted while out of stock; the participant gets it when stock comes.",
    )
    claimed_at = serializers.DateTimeField(help_text="When it was claimed or granted.")
    multiplier = serializers.FloatField(
        required=False, help_text="Factor of a points multiplier. Other claims do not have this field."
    )
    active_until = serializers.DateTimeField(
        required=False, help_text="End of a points multiplier; for a cancelled claim, when it was cancelled."
    )

    optional_fields = ("multiplier", "active_until")


class ClaimList(ParticipantPage):
    rewards = ClaimEntry(many=True, help_text="This page's claims, newest first.")


class ClaimReasonBody(serializers.Serializer[Any]):
    reason = LineField(max_length=500, required=False, allow_null=True, help_text="Why; stored with the claim.")


class ClosedClaim(ClaimEntry):
    participant_id = serializers.CharField(source="participant.external_id", help_text="The participant.")


class CodesBody(serializers.Serializer[Any]):
    codes = serializers.ListField(
        child=VisibleLineField(max_length=MAX_CODE),
        min_length=1,
        max_length=MAX_CODES,
        help_text="Codes; each is handed out once.",
    )


class CodesAnswer(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="Number of new codes.")
    duplicates = serializers.ListField(
        child=serializers.CharField(),
        help_text="Codes that were ignored: the reward had them already, or they were repeated in the list.",
    )
    available_codes = serializers.IntegerField(source="available", help_text="Number of free codes now.")


@shows(RewardChanges)
class RewardAnswer(DefinitionAnswer):
    type = serializers.ChoiceField(source="reward_type", choices=RewardType.choices, help_text="Type of the reward.")
    claimed = serializers.IntegerField(help_text="Number of pieces that were handed out, without cancelled claims.")
    available_codes = serializers.IntegerField(
        allow_null=True, help_text="Number of free codes; null: it has no codes, or makes them on demand."
    )


class OfferedReward(RewardAnswer):
    """The part of a definition that participants see."""

    id = serializers.UUIDField(help_text="Its id, by which it is claimed.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        return {name: fields[name] for name in OFFERED_FIELDS}


class RewardList(serializers.Serializer[Any]):
    rewards = OfferedReward(many=True, help_text="The rewards of this page, in display order.")
    total = serializers.IntegerField(help_text="Number of rewards on all pages.")
