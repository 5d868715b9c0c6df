"""Definitions of rewards."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from gamify.facts.admin.grants import MAX_SUGGESTED, suggestions
from participants.admin.definitions import DefinitionAdmin, DefinitionForm, picture_field
from participants.admin.display import display
from participants.admin.fields import (
    ChoiceField,
    IntegerField,
    LineField,
    MomentField,
    NumberField,
    without_nothing,
)
from participants.admin.pages import Link
from participants.models import Tenant
from rewards import services
from rewards.admin.codes import ADD_CODES
from rewards.definitions import NewReward, RewardChanges
from rewards.models import Reward, RewardType

SETTINGS = (
    "reward_type", "points_cost", "max_claims_per_user", "total_inventory", "min_tier_level", "starts_at", "expires_at",
    "image_url", "code_pattern", "multiplier", "duration_hours",
)  # fmt: skip


CONFIG = ("multiplier", "duration_hours")


class RewardForm(DefinitionForm):
    create_body, update_body = NewReward, RewardChanges
    form_names = {"type": "reward_type", "config": "multiplier", **{f"config.{name}": name for name in CONFIG}}

    unset_words = {
        "max_claims_per_user": "any number",
        "total_inventory": "no limit",
        "min_tier_level": "for everyone",
        "starts_at": "no beginning",
        "expires_at": "no end",
        "code_pattern": "none: codes of the stock alone",
    }

    code = LineField(
        help_text="What your application calls it. Left empty: made of the name. It cannot be changed later."
    )
    reward_type = ChoiceField(
        label="Type", choices=RewardType.choices, help_text="Coupons and vouchers hand out codes, where there are any."
    )
    points_cost = IntegerField(label="Costs", initial=0, help_text="Points, where a claim pays with points.")
    max_claims_per_user = IntegerField(
        label="For each participant", initial=1, required=False, help_text="Left empty: any number."
    )
    total_inventory = IntegerField(label="Inventory", required=False, help_text="Left empty: no limit.")
    min_tier_level = IntegerField(label="From tier level", required=False, help_text="Left empty: for everyone.")
    starts_at = MomentField(label="From", help_text="UTC. Left empty: from now on.")
    expires_at = MomentField(label="Until", help_text="UTC. Left empty: without end.")
    image_url = picture_field()
    code_pattern = LineField(
        label="Codes on demand",
        help_text="Such as SUMMER-####-????: # is a digit, ? a letter, * either. Made at the moment of a claim, once there is none in "
        "stock. Left empty: codes of the stock alone.",
    )
    multiplier = NumberField(
        required=False,
        label="Multiplies points by",
        help_text="Of a points multiplier: 2 makes 200 of an award of 100.",
    )
    duration_hours = NumberField(required=False, label="For so many hours", help_text="From the claim on.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(self.instance.config or {})

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in CONFIG])
        if any(name in names for name in CONFIG):
            body["config"] = without_nothing({name: self.cleaned_data.get(name) for name in CONFIG})
        return body


@admin.register(Reward)
class RewardAdmin(DefinitionAdmin):
    noun, form, settings = services.NOUN, RewardForm, SETTINGS
    columns = ("reward_type", "points_cost", "display_stock")
    list_filter = ("is_active", "reward_type")
    object_pages = (ADD_CODES,)
    about_deactivating = "From now on nobody can claim them. What participants have stays."

    def object_facts(self, row: Reward) -> list[tuple[str, Any]]:
        return [*super().object_facts(row), ("handed out", f"{row.claimed:,}"), ("left", self.display_stock(row))]

    def object_links(self, request: HttpRequest, row: Reward) -> Iterable[Link]:
        yield from super().object_links(request, row)
        if request.user.has_perm("rewards.view_rewardcode"):
            url = f"{reverse('admin:rewards_rewardcode_changelist')}?reward_id={row.pk}"
            yield Link("Codes", url, "list")

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Reward:
        any_number = {"max_claims_per_user": None}  # what was left empty is not in the data
        return services.create_reward(tenant=tenant, data=any_number | dict(data), now=now)

    def save_changes(self, row: Reward, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Reward:
        return services.change_reward(tenant=tenant, reward_id=str(row.pk), changes=lambda locked: changes, now=now)

    @display("left")
    def display_stock(self, reward: Reward) -> str:
        counts = [reward.available_codes]
        if reward.total_inventory is not None:
            counts.append(max(0, reward.total_inventory - reward.claimed))
        known = [count for count in counts if count is not None]
        return f"{min(known):,}" if known else "no limit"


def _suggest(tenant: Tenant) -> Iterable[tuple[str, str]]:
    rewards = Reward.objects.of(tenant).active().in_order().values_list("pk", "name")[:MAX_SUGGESTED]
    return [(str(reward_id), name) for reward_id, name in rewards]


suggestions.register("reward", _suggest)
