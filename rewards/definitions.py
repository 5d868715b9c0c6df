"""What may be said of a reward when it is defined or changed, through the API or in the console."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from participants.api.definitions import DefinitionChanges
from participants.api.fields import CodeField, LineField, NameField, WebAddressField
from participants.engine import MAX_BIGINT
from rewards.engine import MAX_PATTERN, pattern_problem
from rewards.models import RewardType

MAX_COUNT = 2**31 - 1
MAX_CODES = 10_000
MAX_CODE = 255


class RewardChanges(DefinitionChanges):
    """The fields that are given change, and no other. `type` and `reward_type` say the same."""

    type = serializers.ChoiceField(
        choices=RewardType.choices, required=False, help_text="coupon and voucher hand out codes, where there are any."
    )
    reward_type = serializers.ChoiceField(choices=RewardType.choices, required=False, help_text="The same as `type`.")
    points_cost = serializers.IntegerField(
        min_value=0, max_value=MAX_BIGINT, required=False, help_text="What it costs, where a claim pays with points."
    )
    max_claims_per_user = serializers.IntegerField(
        min_value=1,
        max_value=MAX_COUNT,
        required=False,
        allow_null=True,
        help_text="For each participant; null: any number.",
    )
    total_inventory = serializers.IntegerField(
        min_value=0,
        max_value=MAX_COUNT,
        required=False,
        allow_null=True,
        help_text="How many there are; null: no limit.",
    )
    min_tier_level = serializers.IntegerField(
        min_value=0,
        max_value=MAX_COUNT,
        required=False,
        allow_null=True,
        help_text="Only for tiers of this level and above.",
    )
    starts_at = serializers.DateTimeField(required=False, allow_null=True, help_text="From when on it can be claimed.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True, help_text="When that ends.")
    image_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    code_pattern = LineField(
        max_length=MAX_PATTERN,
        required=False,
        allow_null=True,
        help_text="Codes are made of it at the moment of a claim, once there is none in stock: `#` is a digit, `?` a letter, `*` either, "
        "all without those that look alike; everything else stands for itself.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Under the names of the model; a change is judged together with what stays as it is."""
        kinds = {attrs.pop(name) for name in ("type", "reward_type") if name in attrs}
        if len(kinds) > 1:
            raise serializers.ValidationError({"type": "type and reward_type differ."})
        if kinds:
            attrs["reward_type"] = kinds.pop()
        elif self.instance is None:
            raise serializers.ValidationError({"type": "This field is required."})
        starts_at, expires_at = self._after(attrs, "starts_at"), self._after(attrs, "expires_at")
        if starts_at is not None and expires_at is not None and starts_at >= expires_at:
            raise serializers.ValidationError({"expires_at": "Must be after starts_at."})
        self._check_pattern(attrs)
        return attrs

    def _check_pattern(self, attrs: Mapping[str, Any]) -> None:
        pattern = self._after(attrs, "code_pattern")
        if pattern is None or not {"code_pattern", "total_inventory"} & set(attrs):
            return
        if problem := pattern_problem(pattern, inventory=self._after(attrs, "total_inventory")):
            raise serializers.ValidationError({"code_pattern": problem})

    def _after(self, attrs: Mapping[str, Any], name: str) -> Any:
        return attrs[name] if name in attrs else getattr(self.instance, name, None)


class NewReward(RewardChanges):
    code = CodeField(required=False, help_text="Your code for it; made of the name when left out. It never changes.")
    name = NameField()
