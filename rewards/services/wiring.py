"""Registrations of rewards with the layers below."""

from typing import Any

from django.db.models import QuerySet

from gamify.facts.services import undoers
from gamify.points.models import EntryType
from gamify.points.services import multipliers, undo_by_type
from participants import events
from participants.activity import ActivitySource, activity_sources
from participants.causes import CauseTable, cause_tables, irreversible_events
from participants.events import INSTANT, INTEGER, NUMBER, TEXT, UUID, EventField
from participants.models import Tenant
from participants.services.participants import Eraser, delete_rows, erasers, update_rows
from participants.services.personal_data import PersonalTable
from participants.work import closing_steps
from rewards.models import Claim, ClaimStatus, RewardTally
from rewards.selectors import multiplier_reward_ids
from rewards.services.closing import undo_payment
from rewards.services.multipliers import multipliers_at
from rewards.services.reversing import take_back_claim, undo
from rewards.services.serving import serve_new_stock

_CLAIM = {
    "claim_id": EventField(UUID, "Id of the claim."),
    "reward_id": EventField(UUID, "Id of the reward."),
    "reward_name": EventField(TEXT, "Its name."),
    "reward_type": EventField(TEXT, "Its type."),
    "code_value": EventField(TEXT, "Its code, or null.", nullable=True, confidential=True),
    "points_deducted": EventField(INTEGER, "Points that were paid for it."),
    "multiplier": EventField(NUMBER, "Factor of a points multiplier; null for other rewards.", nullable=True),
    "active_until": EventField(INSTANT, "End of a points multiplier; null for other rewards.", nullable=True),
}
_REASON = {"reason": EventField(TEXT, "Text of the request, or null.", nullable=True)}
_EVENTS = {
    "reward.claimed": ("A participant got a reward.", _CLAIM),
    "reward.pending": ("A reward was granted that is out of stock. The participant gets it when stock comes.", _CLAIM),
    "reward.fulfilled": ("A claim was fulfilled.", _CLAIM | _REASON),
    "reward.cancelled": ("A claim was cancelled, and its points were returned.", _CLAIM | _REASON),
}


_STAY = {
    "reward.fulfilled": "That a claim was fulfilled is not taken back, because the reward may have been handed over",
    "reward.cancelled": "The cancellation of a claim is not taken back. Claim the reward again if needed",
}


def register() -> None:
    """Called when the apps are loaded."""
    multiplier_reward_ids.register()
    multipliers.register("reward", multipliers_at)
    closing_steps.register("rewards", serve_new_stock)
    for name, (meaning, fields) in _EVENTS.items():
        events.register(name, meaning, fields)
    activity_sources.register("claims", ActivitySource(_claims_of, _LISTED, _describe, is_late=True))
    _register_undo()
    _register_eraser()


def _register_undo() -> None:
    undo_by_type.register(EntryType.CLAIM, undo_payment)
    undoers.register("rewards", undo)
    cause_tables.register("claim", CauseTable(Claim, "claimed_at", take_back_claim))
    for name, reason in _STAY.items():
        irreversible_events.register(name, reason)


def _register_eraser() -> None:
    clear_codes = update_rows(Claim, code_value=None, reason=None, request_id=None)
    about_claims = "Rewards that they got or wait for, with their codes, oldest first."
    tables = {
        "claims": PersonalTable(Claim, about_claims, order=("claimed_at", "id")),
        "reward_counts": PersonalTable(RewardTally, "Number of claims by reward, without cancelled ones."),
    }
    erasers.register("claims", Eraser(tables, delete=delete_rows(Claim, RewardTally), anonymize=clear_codes))


_LISTED = frozenset({"reward.claimed", "reward.pending"})


def _claims_of(tenant: Tenant) -> "QuerySet[Claim]":
    return Claim.objects.filter(tenant_id=tenant.pk)


def _describe(claim: Claim) -> tuple[str, dict[str, Any]]:
    """Return a claim as an item of the activity. Its row says nothing about when it was fulfilled or cancelled."""
    event = {} if claim.event_id is None else {"event_id": str(claim.event_id)}
    about = {"claim_id": str(claim.pk), "reward_name": claim.reward_name, "points_deducted": claim.points_deducted}
    is_pending = claim.status == ClaimStatus.PENDING
    return "reward.pending" if is_pending else "reward.claimed", {**about, **event}
