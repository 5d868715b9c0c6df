"""Rewards on a participant's page."""

from collections.abc import Iterable

from django.urls import reverse

from participants.admin.panels import Box, Moment, Panel, panels
from participants.models import Participant
from rewards.models import Claim

SHOWN = 20
COLUMNS = ("Reward", "Status", "Code", "Points", "Since")


def _boxes(participant: Participant) -> Iterable[Box]:
    claims = Claim.objects.of(participant).newest_first()[:SHOWN]
    rows = [
        [claim.reward_name, claim.status, claim.code_value, f"{claim.points_deducted:,}", claim.claimed_at]
        for claim in claims
    ]
    yield Box("Rewards", COLUMNS, rows, empty="None yet.")


def _moments(participant: Participant, limit: int) -> Iterable[Moment]:
    return [_moment(claim) for claim in Claim.objects.of(participant).newest_first()[:limit]]


def _moment(claim: Claim) -> Moment:
    url = reverse("admin:rewards_claim_change", args=[claim.pk])
    return Moment(claim.claimed_at, claim.reward_name, f"Reward, {claim.status}", "redeem", url)


panels.register("rewards", Panel(boxes=_boxes, moments=_moments))
