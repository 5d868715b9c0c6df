"""Bodies and answers about tiers."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.tiers.engine import Basis
from gamify.tiers.models import AwardType, TierChange
from gamify.tiers.profile import CurrentTier, NextTier, TierSummary
from participants.api.definitions import DefinitionAnswer, DefinitionChanges
from participants.api.fields import MAX_CODE, CodeField, LineField, NameField, ParticipantIdField, WebAddressField
from participants.engine import MAX_BIGINT

MAX_LEVEL = 2**31 - 1
MAX_BENEFITS = 50
MAX_BENEFIT = 200


class AssignmentBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    tier_code = serializers.CharField(max_length=MAX_CODE, help_text="Code of an active tier.")
    reason = serializers.CharField(
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


class LevelField(serializers.IntegerField):
    """0 is below 1; gaps are fine."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Orders tiers; higher is better.")
        super().__init__(min_value=0, max_value=MAX_LEVEL, **kwargs)


class Criteria(serializers.Serializer[Any]):
    """When points lead into the tier."""

    min_points = serializers.IntegerField(
        min_value=0, max_value=MAX_BIGINT, required=False, help_text="Points at which it is reached."
    )
    basis = serializers.ChoiceField(
        choices=[basis.value for basis in Basis],
        required=False,
        help_text="What `min_points` is compared with: `balance` when left out, or points ever earned.",
    )


class TierChanges(DefinitionChanges):
    """The fields that are given change, and no other."""

    level = LevelField(required=False)
    color = LineField(max_length=20, required=False, allow_null=True, help_text="Its colour, such as #FFD700.")
    icon_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    criteria_config = Criteria(required=False, help_text="When points lead into it; automatic tiers need `min_points`.")
    award_type = serializers.ChoiceField(
        choices=AwardType.choices,
        required=False,
        help_text="`automatic` tiers are reached by points, `manual` ones are only given by hand.",
    )
    benefits = serializers.ListField(
        child=LineField(max_length=MAX_BENEFIT),
        required=False,
        max_length=MAX_BENEFITS,
        help_text="What the tier brings, in your own words.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is automatic needs a threshold; a change is judged together with what stays as it is."""
        award_type = self._after(attrs, "award_type") or AwardType.AUTOMATIC
        criteria: Mapping[str, Any] = self._after(attrs, "criteria_config") or {}
        if award_type == AwardType.AUTOMATIC and "min_points" not in criteria:
            raise serializers.ValidationError({"criteria_config": {"min_points": "Required for an automatic tier."}})
        return attrs

    def _after(self, attrs: Mapping[str, Any], name: str) -> Any:
        return attrs[name] if name in attrs else getattr(self.instance, name, None)


class NewTier(TierChanges):
    code = CodeField()
    name = NameField()
    level = LevelField()


class TierAnswer(DefinitionAnswer):
    level = LevelField()
    color = serializers.CharField(allow_null=True, help_text="Its colour, such as #FFD700.")
    icon_url = serializers.CharField(allow_null=True, help_text="Address of a picture, or null.")
    criteria_config = Criteria(help_text="When points lead into it.")
    award_type = serializers.ChoiceField(choices=AwardType.choices, help_text="How it is come by.")
    benefits = serializers.ListField(child=serializers.CharField(), help_text="What the tier brings.")
