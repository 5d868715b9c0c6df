"""Request bodies of tiers, shared by the API and the console."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rest_framework import serializers

from gamify.tiers.engine import Basis
from gamify.tiers.models import AwardType, Tier
from gamify.tiers.selectors import members_by_tier
from participants.api.definitions import DefinitionChanges
from participants.api.fields import LineField, MultiplierField, NameField, NewCodeField, WebAddressField
from participants.api.kinds import plain_kind, register_kind
from participants.api.nested import NestedObject
from participants.api.scalars import WholeNumberField
from participants.engine import MAX_BIGINT
from participants.models import Tenant

MAX_LEVEL = 2**31 - 1
MAX_BENEFITS = 50
MAX_BENEFIT = 200


class LevelField(WholeNumberField):
    """The level of a tier. Levels may have gaps and start at 0."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Orders the tiers; higher is better.")
        super().__init__(min_value=0, max_value=MAX_LEVEL, **kwargs)


class Criteria(NestedObject):
    """The points at which a tier is reached."""

    min_points = WholeNumberField(
        min_value=0, max_value=MAX_BIGINT, required=False, help_text="Number of points at which the tier is reached."
    )
    basis = serializers.ChoiceField(
        choices=[basis.value for basis in Basis],
        required=False,
        help_text="What `min_points` is compared with: `balance` (default), or `lifetime`, the points ever earned.",
    )


class TierChanges(DefinitionChanges):
    """Changes the given fields. Other fields stay as they are."""

    level = LevelField(required=False)
    color = LineField(max_length=20, required=False, allow_null=True, help_text="Colour, such as #FFD700, or null.")
    icon_url = WebAddressField(required=False, allow_null=True, help_text="URL (http or https) of a picture, or null.")
    criteria_config = Criteria(
        required=False, help_text="The points at which the tier is reached. Automatic tiers need `min_points`."
    )
    award_type = serializers.ChoiceField(
        choices=AwardType.choices,
        required=False,
        help_text="`automatic`: reached by points, can be assigned too; `manual`: only assigned or granted.",
    )
    points_multiplier = MultiplierField(
        required=False,
        allow_null=True,
        help_text="Awards to participants in this tier are multiplied by this number; null for 1.",
    )
    benefits = serializers.ListField(
        child=LineField(max_length=MAX_BENEFIT),
        required=False,
        max_length=MAX_BENEFITS,
        help_text="Benefits of the tier, as texts for people.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the tier as it will be after the change: an automatic tier needs `min_points`."""
        award_type = self.after(attrs, "award_type") or AwardType.AUTOMATIC
        criteria: Mapping[str, Any] = self.after(attrs, "criteria_config") or {}
        if award_type == AwardType.AUTOMATIC and "min_points" not in criteria:
            raise serializers.ValidationError({"criteria_config": {"min_points": "Required for an automatic tier."}})
        return attrs


class NewTier(TierChanges):
    code = NewCodeField()
    name = NameField()
    level = LevelField()


def _members(tenant: Tenant, rows: Sequence[Tier]) -> Mapping[UUID, int]:
    """Count the participants in each tier."""
    counts = members_by_tier(tenant)
    return {row.pk: counts.get(row.code, 0) for row in rows}


def register() -> None:
    register_kind(plain_kind("tier", "tiers", Tier, NewTier, reach=_members))
