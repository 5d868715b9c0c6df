"""Bodies, queries and answers about rewards."""

from typing import Any

from rest_framework import serializers

from participants.api.definitions import DefinitionAnswer
from participants.api.fields import BodyKeyField, LineField, PageQuery, ParticipantIdField, VisibleLineField
from participants.api.scalars import FlagField, WholeNumberField
from rewards.definitions import MAX_CODES, ConfigField
from rewards.engine import MAX_CODE
from rewards.models import Claim, ClaimStatus, RewardType

OF_MULTIPLIERS = ("multiplier", "active_until")


class RewardQuery(PageQuery):
    page_size = WholeNumberField(min_value=1, max_value=100, default=100, help_text="Items per page.")
    reward_type = serializers.ChoiceField(
        choices=RewardType.choices, required=False, help_text="Only rewards of this type."
    )


class OfferedReward(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="By which it is claimed.")
    name = serializers.CharField(help_text="Its name.")
    type = serializers.ChoiceField(source="reward_type", choices=RewardType.choices, help_text="What is handed out.")
    description = serializers.CharField(allow_null=True, help_text="What it is, or null.")
    points_cost = serializers.IntegerField(help_text="What it costs, where a claim pays with points.")
    available_codes = serializers.IntegerField(
        allow_null=True, help_text="Codes that are left; null: it has none, or makes them on demand."
    )
    max_claims_per_user = serializers.IntegerField(allow_null=True, help_text="For each participant; null: any number.")
    image_url = serializers.CharField(allow_null=True, help_text="Address of a picture, or null.")


class RewardList(serializers.Serializer[Any]):
    rewards = OfferedReward(many=True, help_text="This page's rewards that can be claimed now, in display order.")
    total = serializers.IntegerField(help_text="How many there are on all pages together.")


class ClaimBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    points_deduction = FlagField(default=False, help_text="Pay what it costs with points; for nothing when left out.")
    idempotency_key = BodyKeyField()


class ClaimedAnswer(serializers.Serializer[Any]):
    claim_id = serializers.UUIDField(help_text="The claim.")
    participant_id = ParticipantIdField()
    reward_name = serializers.CharField(help_text="Name of the reward.")
    reward_type = serializers.ChoiceField(choices=RewardType.choices, help_text="What was handed out.")
    code_value = serializers.CharField(allow_null=True, help_text="The code; null where there are none.")
    points_deducted = serializers.IntegerField(help_text="What was paid.")
    new_balance = serializers.IntegerField(help_text="The balance after it.")


class ClaimEntry(serializers.ModelSerializer[Claim]):
    claim_id = serializers.UUIDField(source="id", help_text="The claim.")
    reward_id = serializers.UUIDField(help_text="The reward.")
    status = serializers.ChoiceField(
        choices=ClaimStatus.choices,
        help_text="`pending` was granted and is out of stock; it is handed out when stock comes.",
    )

    multiplier = serializers.FloatField(
        required=False, help_text="Of a points multiplier: what points are multiplied by. Other claims have none."
    )
    active_until = serializers.DateTimeField(
        required=False, help_text="Until when; a multiplier that was cancelled ended then."
    )

    def to_representation(self, instance: Claim) -> dict[str, Any]:
        """What only a points multiplier has, other claims do not show."""
        shown = super().to_representation(instance)
        return {name: value for name, value in shown.items() if name not in OF_MULTIPLIERS or value is not None}

    class Meta:
        model = Claim
        fields = [
            "claim_id",
            "reward_id",
            "reward_name",
            "reward_type",
            "code_value",
            "points_deducted",
            "status",
            "claimed_at",
            *OF_MULTIPLIERS,
        ]
        read_only_fields = fields
        extra_kwargs = {
            "reward_name": {"help_text": "Its name when it was claimed."},
            "reward_type": {"help_text": "Its type when it was claimed."},
            "code_value": {"help_text": "The code that was handed out, or null."},
            "points_deducted": {"help_text": "What was paid."},
            "claimed_at": {"help_text": "When it was claimed or granted."},
        }


class ClaimList(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    rewards = ClaimEntry(many=True, help_text="This page's claims, newest first.")
    total = serializers.IntegerField(help_text="How many on all pages together.")
    page = serializers.IntegerField(help_text="The page asked for.")
    page_size = serializers.IntegerField(help_text="The page size asked for.")


class ClaimReasonBody(serializers.Serializer[Any]):
    reason = LineField(max_length=500, required=False, allow_null=True, help_text="Why, for the record.")


class ClosedClaim(ClaimEntry):
    participant_id = serializers.CharField(source="participant.external_id", help_text="Whose claim it is.")

    class Meta(ClaimEntry.Meta):
        fields = [*ClaimEntry.Meta.fields, "participant_id"]
        read_only_fields = fields


class CodesBody(serializers.Serializer[Any]):
    codes = serializers.ListField(
        child=VisibleLineField(max_length=MAX_CODE),
        min_length=1,
        max_length=MAX_CODES,
        help_text="Codes, each handed out once.",
    )


class CodesAnswer(serializers.Serializer[Any]):
    added = serializers.IntegerField(help_text="How many were new.")
    duplicates = serializers.ListField(
        child=serializers.CharField(),
        help_text="Those that were there already, or twice in the list; they were left out.",
    )
    available_codes = serializers.IntegerField(source="available", help_text="How many nobody has now.")


class RewardAnswer(DefinitionAnswer):
    type = serializers.ChoiceField(source="reward_type", choices=RewardType.choices, help_text="What is handed out.")
    reward_type = serializers.ChoiceField(choices=RewardType.choices, help_text="The same as `type`.")
    points_cost = serializers.IntegerField(help_text="What it costs, where a claim pays with points.")
    max_claims_per_user = serializers.IntegerField(allow_null=True, help_text="For each participant; null: any number.")
    total_inventory = serializers.IntegerField(allow_null=True, help_text="How many there are; null: no limit.")
    min_tier_level = serializers.IntegerField(allow_null=True, help_text="Only for tiers of this level and above.")
    starts_at = serializers.DateTimeField(allow_null=True, help_text="From when on it can be claimed.")
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When that ends.")
    image_url = serializers.CharField(allow_null=True, help_text="Address of a picture, or null.")
    code_pattern = serializers.CharField(allow_null=True, help_text="What codes are made of on demand, or null.")
    config = ConfigField(allow_null=True, help_text="What a `points_multiplier` does; null for every other type.")
    claimed = serializers.IntegerField(help_text="How many were handed out, cancelled ones not among them.")
    available_codes = serializers.IntegerField(
        allow_null=True, help_text="Codes that are left; null: it has none, or makes them on demand."
    )
