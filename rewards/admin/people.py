"""Rewards on a participant's page."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils import timezone

from participants.admin.panels import Box, Moment, Panel, panels
from participants.models import Capability, Participant
from rewards.admin.claims import masked_code, multiplier_text
from rewards.models import Claim
from rewards.selectors import active_multipliers

SHOWN = 20
COLUMNS = ("Reward", "Status", "Code", "Points", "Since")
MULTIPLIER_COLUMNS = ("Reward", "Points", "Until")


def _boxes(participant: Participant) -> Iterable[Box]:
    claims = Claim.objects.of(participant).newest_first()[:SHOWN]
    rows = [
        [claim.reward_name, claim.status, masked_code(claim), f"{claim.points_deducted:,}", claim.claimed_at]
        for claim in claims
    ]
    yield Box("Rewards", COLUMNS, rows, empty="None yet.")
    active = list(active_multipliers(participant, now=timezone.now())) if participant.rewards_claimed else []
    if active:
        shown = [[tally.reward.name, multiplier_text(tally.multiplier), tally.active_until] for tally in active]
        yield Box("Points multipliers", MULTIPLIER_COLUMNS, shown, empty="")


def _moments(participant: Participant, limit: int) -> Iterable[Moment]:
    return [_moment(claim) for claim in Claim.objects.of(participant).newest_first()[:limit]]


def _moment(claim: Claim) -> Moment:
    url = reverse("admin:rewards_claim_change", args=[claim.pk])
    return Moment(claim.claimed_at, claim.reward_name, f"Reward, {claim.status}", "redeem", url)


VIEW_PERMISSIONS = ("rewards.view_claim", "rewards.change_claim")
panels.register(
    "rewards",
    Panel(capability=Capability.SEE_PARTICIPANTS, view_permissions=VIEW_PERMISSIONS, boxes=_boxes, moments=_moments),
)
