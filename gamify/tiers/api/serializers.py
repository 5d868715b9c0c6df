"""Bodies and answers about tiers."""

from typing import Any

from rest_framework import serializers

from gamify.tiers.definitions import Criteria, LevelField
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.profile import CurrentTier, NextTier, TierSummary
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import MAX_CODE, MultiplierField, ParticipantIdField
from participants.api.scalars import TextField


class AssignmentBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    tier_code = TextField(max_length=MAX_CODE, help_text="Code of an active tier.")
    reason = TextField(
        max_length=500,
        required=False,
        allow_null=True,
        allow_blank=True,
        trim_whitespace=False,
        help_text="Why, for people who read the history.",
    )


class AssignedAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    tier = TierSummary(help_text="The tier they stand in now.")
    previous_tier = TierSummary(allow_null=True, help_text="The tier they stood in before, or null.")
    reason = serializers.CharField(allow_null=True, help_text="The reason given, or null.")
    assigned_at = serializers.DateTimeField(help_text="When it was assigned.")


class HistoryEntry(serializers.ModelSerializer[TierChange]):
    achieved_at = serializers.DateTimeField(source="changed_at", help_text="When they came into it.")

    class Meta:
        model = TierChange
        fields = ["code", "name", "level", "previous_code", "previous_level", "how", "reason", "achieved_at"]
        read_only_fields = fields
        extra_kwargs = {
            "code": {"help_text": "Code of the tier they came into."},
            "name": {"help_text": "Its name at that time."},
            "level": {"help_text": "Its level at that time."},
            "previous_code": {"help_text": "Code of the tier they left, or null."},
            "previous_level": {"help_text": "Level of the tier they left, or null."},
            "how": {"help_text": "`automatic` by points, or `manual` by hand."},
            "reason": {"help_text": "The reason given with a tier by hand, or null."},
        }


class StandingAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    current_tier = CurrentTier(allow_null=True, help_text="The tier they stand in, or null.")
    next_tier = NextTier(allow_null=True, help_text="What comes next; null at the top.")
    tier_history = HistoryEntry(many=True, help_text="Every change of their tier, oldest first; the newest 1,000.")


class TierAnswer(DefinitionAnswer):
    level = LevelField()
    color = serializers.CharField(allow_null=True, help_text="Its colour, such as #FFD700.")
    icon_url = serializers.CharField(allow_null=True, help_text="Address of a picture, or null.")
    criteria_config = Criteria(help_text="When points lead into it.")
    award_type = serializers.ChoiceField(choices=AwardType.choices, help_text="How it is come by.")
    points_multiplier = MultiplierField(
        allow_null=True, help_text="By what awards are multiplied there; null: by nothing."
    )
    benefits = serializers.ListField(child=serializers.CharField(), help_text="What the tier brings.")
