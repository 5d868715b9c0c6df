"""Exports of claims and of reward codes."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from participants.api.exporting import ExportKind, ParticipantPeriodFilters, PeriodFilters, Scope, export_kinds
from participants.api.exports import ACTOR, ACTOR_LABEL, PARTICIPANT_ID, REQUEST_ID
from participants.api.scalars import FlagField, IdField
from participants.errors import InvalidInput
from participants.models.keys import Scope as KeyScope
from rewards.engine.code_lines import mask
from rewards.models import Claim, ClaimStatus, Reward, RewardCode

_CLAIM = {
    "id": "Id of the claim.",
    "participant_id": PARTICIPANT_ID,
    "reward_id": "Id of the reward.",
    "reward_name": "Its name when it was claimed.",
    "reward_type": "Its type.",
    "status": "`pending`, `claimed`, `fulfilled` or `cancelled`.",
    "code": "The code, masked. An export of codes has the whole code, and the id of the claim.",
    "points_deducted": "Points that were paid for it.",
    "entry_id": "The ledger entry that paid for it.",
    "refund_id": "The ledger entry that refunded it.",
    "source": "The definition that granted it, an object.",
    "event_id": "The event that led to it.",
    "reason": "Text given with the cancellation or the fulfilment.",
    "multiplier": "The factor of a points multiplier.",
    "active_from": "When a points multiplier begins.",
    "active_until": "When a points multiplier ends.",
    "claimed_at": "When it was claimed.",
    "closed_at": "When it was fulfilled or cancelled.",
    "actor": ACTOR,
    "actor_label": ACTOR_LABEL,
    "request_id": REQUEST_ID,
}
_CODE = {
    "id": "Id of the row.",
    "reward_id": "Id of the reward.",
    "reward_code": "Code of the definition of the reward.",
    "reward_name": "Name of the reward.",
    "code": "The code itself.",
    "is_free": "Whether it can still be handed out.",
    "claim_id": "The claim that has it.",
    "created_at": "When it was added.",
}
_MASKED = tuple(_CLAIM).index("code")


class ClaimFilters(ParticipantPeriodFilters):
    reward_id = IdField(required=False, help_text="Only claims of this reward.")
    status = serializers.ChoiceField(
        choices=ClaimStatus.choices, required=False, help_text="Only claims with this status."
    )


class CodeFilters(PeriodFilters):
    reward_id = IdField(required=False, help_text="Only codes of this reward.")
    is_free = FlagField(
        required=False,
        help_text="Whether to export only free codes, or only those that were handed out. Default: both.",
    )


def _claims(scope: Scope) -> "QuerySet[Claim]":
    selected = (
        scope.of_participant & scope.between("claimed_at") & scope.matching(reward_id="reward_id", status="status")
    )
    return Claim.objects.filter(scope.of_tenant & scope.written & selected)


def _mask_codes(scope: Scope, rows: Sequence[Any], number: int) -> Iterable[Sequence[Any]]:
    for row in rows:
        code = row[_MASKED]
        yield (*row[:_MASKED], None if code is None else mask(code), *row[_MASKED + 1 :])


def _codes(scope: Scope) -> "QuerySet[RewardCode]":
    selected = scope.between("created_at") & scope.matching(reward_id="reward_id")
    rows = RewardCode.objects.filter(scope.of_tenant & scope.written & selected)
    return rows.filter(claim_id__isnull=scope.filters["is_free"]) if "is_free" in scope.filters else rows


def _code_values(scope: Scope, rows: Sequence[Any], number: int) -> Iterable[Sequence[Any]]:
    return [(*row[:5], row[5] is None, *row[5:]) for row in rows]


def _check_reward(scope: Scope) -> None:
    rewards = Reward.objects.of(scope.tenant)
    if "reward_id" in scope.filters and not rewards.filter(pk=scope.filters["reward_id"]).exists():
        raise InvalidInput("filters.reward_id", "There is no reward with this id.")


_CLAIMS = ExportKind(
    title="Claims",
    about="One row per claim, participant by participant, the oldest first. `since` and `until` are about `claimed_at`.",
    columns=_CLAIM,
    filters=ClaimFilters,
    rows=_claims,
    order=("participant_id", "claimed_at", "id"),
    fields=(
        "id", "participant__external_id", "reward_id", "reward_name", "reward_type", "status", "code_value", "points_deducted",
        "entry_id", "refund_id", "source", "event_id", "reason", "multiplier", "active_from", "active_until", "claimed_at",
        "closed_at", "actor", "actor_label", "request_id",
    ),
    render=_mask_codes,
    find=_check_reward,
    permission="rewards.view_claim",
)  # fmt: skip
_CODES = ExportKind(
    title="Reward codes",
    about="One row per code of a reward. It needs a key with the scope `codes` besides the admin scope.",
    columns=_CODE,
    filters=CodeFilters,
    rows=_codes,
    order=("reward_id", "value"),
    fields=("id", "reward_id", "reward__code", "reward__name", "value", "claim_id", "created_at"),
    render=_code_values,
    find=_check_reward,
    permission="rewards.reveal_rewardcode",
    key_scope=KeyScope.CODES,
)


def register() -> None:
    """Called by `AppConfig.ready`."""
    export_kinds.register("claims", _CLAIMS)
    export_kinds.register("codes", _CODES)
