"""Definitions of rewards in the console."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from participants.admin.definitions import SHOWN, DefinitionAdmin, DefinitionForm, picture_field
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import (
    ChoiceField,
    IntegerField,
    LineField,
    MomentField,
    NumberField,
    without_empty,
)
from participants.admin.pages import Link
from participants.admin.words import counted, plain, sentence_of
from participants.models import Tenant
from rewards import services
from rewards.admin.codes import ADD_CODES
from rewards.definitions import NewReward, RewardChanges
from rewards.models import Reward, RewardType

CONFIG = ("multiplier", "duration_hours")


class RewardForm(DefinitionForm):
    create_body, update_body = NewReward, RewardChanges
    form_names = {"type": "reward_type", "config": "multiplier", **{f"config.{name}": name for name in CONFIG}}

    unset_words = {
        "max_claims_per_user": "any number",
        "total_inventory": "no limit",
        "min_tier_level": "any tier or none",
        "starts_at": "no start",
        "expires_at": "no end",
        "code_pattern": "none: only codes in stock",
    }

    code = LineField(
        help_text="Your application's code for it. If empty, it is made from the name. It cannot be changed later."
    )
    reward_type = ChoiceField(
        label="Type", choices=RewardType.choices, help_text="Coupons and vouchers hand out codes, if they have any."
    )
    points_cost = IntegerField(label="Costs", initial=0, help_text="Points, if the claim pays with points.")
    max_claims_per_user = IntegerField(
        label="For each participant", initial=1, required=False, help_text="If empty: any number."
    )
    total_inventory = IntegerField(label="Inventory", required=False, help_text="If empty: no limit.")
    min_tier_level = IntegerField(label="From tier level", required=False, help_text="If empty: any tier or none.")
    starts_at = MomentField(label="From", help_text="UTC. If empty: from now on.")
    expires_at = MomentField(label="Until", help_text="UTC. If empty: no end.")
    image_url = picture_field()
    code_pattern = LineField(
        label="Codes on demand",
        help_text="Pattern such as SUMMER-####-????: # is a digit, ? a letter, * either. Codes are made at a claim when none is in "
        "stock. If empty: only codes in stock.",
    )
    multiplier = NumberField(
        required=False,
        label="Multiplies points by",
        help_text="Only for a points multiplier. Example: 2 turns an award of 100 into 200.",
    )
    duration_hours = NumberField(
        required=False, label="Duration in hours", help_text="Only for a points multiplier. Starts with the claim."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(self.instance.config or {})

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in CONFIG])
        if any(name in names for name in CONFIG):
            body["config"] = without_empty({name: self.cleaned_data.get(name) for name in CONFIG})
        return body


def reward_in_words(reward: Reward) -> str:
    """Return a reward as one sentence."""
    kind = RewardType(reward.reward_type).label.lower() if reward.reward_type else "reward"
    config, limit = reward.config or {}, reward.max_claims_per_user
    effect = f" × {config['multiplier']} for {config['duration_hours']} hours" if "multiplier" in config else ""
    return sentence_of(
        [
            f"{kind}{effect} for {counted(reward.points_cost, 'point')}"
            if reward.points_cost
            else f"{kind}{effect}, free",
            "any number for each participant" if limit is None else f"{limit:,} for each participant",
            "no limit of pieces"
            if reward.total_inventory is None
            else f"{counted(reward.total_inventory, 'piece')} in all",
            "" if reward.min_tier_level is None else f"from tier level {reward.min_tier_level:,} on",
            f"from {plain(reward.starts_at)}" if reward.starts_at else "",
            f"until {plain(reward.expires_at)}" if reward.expires_at else "",
            f"codes like {reward.code_pattern} are made at a claim" if reward.code_pattern else "",
        ]
    )


@admin.register(Reward)
class RewardAdmin(DefinitionAdmin):
    when_empty = WhenEmpty(
        "There is no reward yet. Add one that participants can claim.",
        "Add a reward",
        "rewards_reward_add",
    )
    noun, form = services.NOUN, RewardForm
    columns = ("reward_type", "points_cost", "display_stock")
    list_filter = ("is_active", "reward_type")
    conditional_fields = dict.fromkeys(CONFIG, f"reward_type == '{RewardType.POINTS_MULTIPLIER.value}'")
    object_pages = (ADD_CODES,)
    about_deactivating = "They can no longer be claimed. Existing claims stay."

    def own_fieldsets(self, obj: Any) -> Iterable[tuple[str, dict[str, Any]]]:
        return (
            ("What it is", {"fields": ("reward_type", *CONFIG, "image_url")}),
            ("Who may claim it", {"fields": ("points_cost", "max_claims_per_user", "min_tier_level")}),
            ("Stock", {"fields": ("total_inventory", "code_pattern")}),
            ("When", {"fields": ("starts_at", "expires_at")}),
            SHOWN,
        )

    def object_facts(self, row: Reward) -> list[tuple[str, Any]]:
        return [*super().object_facts(row), ("handed out", f"{row.claimed:,}"), ("left", self.display_stock(row))]

    def object_links(self, request: HttpRequest, row: Reward) -> Iterable[Link]:
        yield from super().object_links(request, row)
        if request.user.has_perm("rewards.view_rewardcode"):
            url = f"{reverse('admin:rewards_rewardcode_changelist')}?reward_id={row.pk}"
            yield Link("Codes", url, "list")

    def in_words(self, row: Reward) -> str:
        return reward_in_words(row)

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Reward:
        any_number = {"max_claims_per_user": None}  # empty form fields are not in the data
        return services.create_reward(tenant=tenant, data=any_number | dict(data), now=now)

    def save_settings(self, row: Reward, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Reward:
        return services.change_reward(tenant=tenant, reward_id=str(row.pk), changes=lambda locked: changes, now=now)

    @display("left")
    def display_stock(self, reward: Reward) -> str:
        counts = [reward.available_codes]
        if reward.total_inventory is not None:
            counts.append(max(0, reward.total_inventory - reward.claimed))
        known = [count for count in counts if count is not None]
        return f"{min(known):,}" if known else "no limit"
