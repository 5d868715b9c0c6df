"""Request bodies of rewards, shared by API and console."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.api.definitions import DefinitionChanges
from participants.api.fields import (
    MultiplierField,
    NameField,
    NewCodeField,
    VisibleLineField,
    WebAddressField,
)
from participants.api.kinds import DefinitionKind, participants_with, register_kind, shown
from participants.api.nested import NestedObject
from participants.api.scalars import FlagField, FractionField, InstantField, WholeNumberField
from participants.engine import MAX_BIGINT, is_empty_period, plain_number
from participants.models import Tenant
from rewards import services
from rewards.engine.multipliers import MAX_HOURS
from rewards.engine.patterns import MAX_PATTERN, pattern_problem
from rewards.models import Claim, Reward, RewardType

MULTIPLIER = RewardType.POINTS_MULTIPLIER.value
MAX_COUNT = 2**31 - 1
MAX_CODES = 10_000


class MultiplierConfig(NestedObject):
    """The configuration of a points multiplier."""

    multiplier = MultiplierField(help_text="Points are multiplied by this number.")
    duration_hours = FractionField(
        max_digits=8,
        decimal_places=4,
        min_value=Decimal("0.0001"),
        max_value=Decimal(MAX_HOURS),
        coerce_to_string=False,
        help_text="Duration in hours from the claim on. A pending claim starts when it gets its piece of new stock.",
    )


@extend_schema_field(MultiplierConfig)
class ConfigField(serializers.Field[Any, Any, Any, Any]):
    """A complete MultiplierConfig or null. A change replaces it as a whole."""

    child = MultiplierConfig()

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(None if data == {} else data)

    def to_internal_value(self, data: Any) -> dict[str, int | float]:
        bound = MultiplierConfig(data=data)
        bound.is_valid(raise_exception=True)
        return {name: plain_number(value) for name, value in bound.validated_data.items()}

    def to_representation(self, value: Any) -> Any:
        return value


class RewardChanges(DefinitionChanges):
    """The fields of a reward that can be changed. `type` and `reward_type` mean the same."""

    type = serializers.ChoiceField(
        choices=RewardType.choices, required=False, help_text="coupon and voucher hand out codes, if they have any."
    )
    reward_type = serializers.ChoiceField(choices=RewardType.choices, required=False, help_text="The same as `type`.")
    points_cost = WholeNumberField(
        min_value=0, max_value=MAX_BIGINT, required=False, help_text="Price in points, if the claim pays with points."
    )
    max_claims_per_user = WholeNumberField(
        min_value=1,
        max_value=MAX_COUNT,
        required=False,
        allow_null=True,
        help_text="Maximum number of claims per participant; null: any number.",
    )
    total_inventory = WholeNumberField(
        min_value=0,
        max_value=MAX_COUNT,
        required=False,
        allow_null=True,
        help_text="Number of pieces in all; null: no limit.",
    )
    min_tier_level = WholeNumberField(
        min_value=0,
        max_value=MAX_COUNT,
        required=False,
        allow_null=True,
        help_text="Only for participants in a tier of this level or higher; null: for all.",
    )
    starts_at = InstantField(
        required=False, allow_null=True, help_text="It can be claimed from this instant on, or null."
    )
    expires_at = InstantField(
        required=False, allow_null=True, help_text="It can be claimed until this instant, or null."
    )
    image_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    code_pattern = VisibleLineField(
        max_length=MAX_PATTERN,
        required=False,
        allow_null=True,
        help_text="Pattern of codes that are made at a claim when none is in stock: `#` is a digit, `?` a letter, `*` either, without "
        "characters that look alike. Other characters are copied.",
    )

    config = ConfigField(
        required=False,
        allow_null=True,
        help_text="The configuration of a `points_multiplier`; other types have none.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check rules about several fields, with the stored values of fields that do not change. Returns the names of the model."""
        kinds = {attrs.pop(name) for name in ("type", "reward_type") if name in attrs}
        if len(kinds) > 1:
            raise serializers.ValidationError({"type": "type and reward_type differ."})
        if kinds:
            attrs["reward_type"] = kinds.pop()
        elif self.instance is None:
            raise serializers.ValidationError({"type": "This field is required."})
        self._check_dates(attrs)
        self._check_pattern(attrs)
        self._check_type(attrs)
        self._check_config(attrs)
        return attrs

    def _check_dates(self, attrs: Mapping[str, Any]) -> None:
        if is_empty_period(self.after(attrs, "starts_at"), self.after(attrs, "expires_at")):
            raise serializers.ValidationError({"expires_at": "Must be after starts_at."})

    def _check_pattern(self, attrs: Mapping[str, Any]) -> None:
        pattern = self.after(attrs, "code_pattern")
        if pattern is None or not {"code_pattern", "total_inventory"} & set(attrs):
            return
        if problem := pattern_problem(pattern, inventory=self.after(attrs, "total_inventory")):
            raise serializers.ValidationError({"code_pattern": problem})

    def _check_type(self, attrs: Mapping[str, Any]) -> None:
        """A multiplier keeps its type, and no other reward becomes one: awards find claimed multipliers by the type of the reward."""
        if self.instance is None:
            return
        if (self.instance.reward_type == MULTIPLIER) != self._is_multiplier(attrs):
            raise serializers.ValidationError(
                {"type": f"Cannot be changed from or to {MULTIPLIER}; define another reward."}
            )

    def _check_config(self, attrs: Mapping[str, Any]) -> None:
        has_config, is_multiplier = self.after(attrs, "config") is not None, self._is_multiplier(attrs)
        if is_multiplier and not has_config:
            raise serializers.ValidationError(
                {"config": f'Required for a {MULTIPLIER}, such as {{"multiplier": 2, "duration_hours": 24}}.'}
            )
        if has_config and not is_multiplier:
            raise serializers.ValidationError({"config": f"Only allowed for a {MULTIPLIER}."})

    def _is_multiplier(self, attrs: Mapping[str, Any]) -> bool:
        return bool(self.after(attrs, "reward_type") == MULTIPLIER)


class NewReward(RewardChanges):
    code = NewCodeField(required=False, help_text="Your code for it; by default made from the name. It never changes.")
    name = NameField()


class WholeReward(NewReward):
    """A reward in a programme file. The number of pieces is stock, so it is not in the file."""

    reward_type = total_inventory = None  # type: ignore[assignment]  # DRF's way to leave out what the parents declare
    code = NewCodeField()
    type = serializers.ChoiceField(choices=RewardType.choices)
    has_inventory = FlagField(
        required=False,
        help_text="Whether the number of pieces is limited. A new reward with an inventory has 0 pieces.",
    )


def _to_fields(data: Mapping[str, Any], row: Reward | None) -> dict[str, Any]:
    """Return fields of the model. The inventory of a reward that has one stays."""
    fields = dict(data)
    if not fields.pop("has_inventory"):
        return {**fields, "total_inventory": None}
    inventory = None if row is None else row.total_inventory
    return {**fields, "total_inventory": inventory or 0}


def _to_body(row: Reward) -> dict[str, Any]:
    own = {"type": row.reward_type, "has_inventory": row.total_inventory is not None}
    return {
        name: own[name] if name in own else shown(row, name, field) for name, field in KIND.shared_body.fields.items()
    }


def _update(row: Reward, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Reward:
    return services.change_reward(tenant=tenant, reward_id=str(row.pk), changes=lambda locked: changes, now=now)


KIND = DefinitionKind(
    noun=services.NOUN,
    plural="rewards",
    model=Reward,
    body=WholeReward,
    create=services.create_reward,
    update=_update,
    to_body=_to_body,
    to_fields=_to_fields,
    reach=participants_with(Claim, "reward"),
)


def register() -> None:
    register_kind(KIND)
