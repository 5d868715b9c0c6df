"""What may be said of a tier when it is defined or changed, through the API or in the console."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.tiers.engine import Basis
from gamify.tiers.models import AwardType
from participants.api.definitions import DefinitionChanges
from participants.api.fields import LineField, MultiplierField, NameField, NewCodeField, WebAddressField
from participants.api.nested import NestedObject
from participants.api.scalars import WholeNumberField
from participants.engine import MAX_BIGINT

MAX_LEVEL = 2**31 - 1
MAX_BENEFITS = 50
MAX_BENEFIT = 200


class LevelField(WholeNumberField):
    """0 is below 1; gaps are fine."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Orders tiers; higher is better.")
        super().__init__(min_value=0, max_value=MAX_LEVEL, **kwargs)


class Criteria(NestedObject):
    """When points lead into the tier."""

    min_points = WholeNumberField(
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
    points_multiplier = MultiplierField(
        required=False,
        allow_null=True,
        help_text="Who stands in it is credited so many times what an award says; null: once.",
    )
    benefits = serializers.ListField(
        child=LineField(max_length=MAX_BENEFIT),
        required=False,
        max_length=MAX_BENEFITS,
        help_text="What the tier brings, in your own words.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is automatic needs a threshold; a change is judged together with what stays as it is."""
        award_type = self.after(attrs, "award_type") or AwardType.AUTOMATIC
        criteria: Mapping[str, Any] = self.after(attrs, "criteria_config") or {}
        if award_type == AwardType.AUTOMATIC and "min_points" not in criteria:
            raise serializers.ValidationError({"criteria_config": {"min_points": "Required for an automatic tier."}})
        return attrs


class NewTier(TierChanges):
    code = NewCodeField()
    name = NameField()
    level = LevelField()
