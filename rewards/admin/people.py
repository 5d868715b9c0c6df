"""Rewards on a participant's page."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.html import format_html

from participants.activity import Activity
from participants.admin.access import link
from participants.admin.panels import Box, Line, Panel, Story, panels
from participants.models import Capability, Participant
from rewards.admin.claims import masked_code, multiplier_text
from rewards.models import Claim, ClaimStatus
from rewards.selectors import active_multipliers

SHOWN = 20
COLUMNS = ("Reward", "Status", "Code", "Points", "Since")
MULTIPLIER_COLUMNS = ("Reward", "Points", "Until")


def _boxes(participant: Participant, reader: Any) -> Iterable[Box]:
    claims = Claim.objects.of(participant).newest_first()[:SHOWN]
    rows = [
        [claim.reward_name, claim.status, masked_code(claim), f"{claim.points_deducted:,}", claim.claimed_at]
        for claim in claims
    ]
    yield Box("Rewards", COLUMNS, rows, empty="None yet.", is_wide=bool(rows))
    active = list(active_multipliers(participant, now=timezone.now())) if participant.rewards_claimed else []
    if active:
        shown = [[tally.reward.name, multiplier_text(tally.multiplier), tally.active_until] for tally in active]
        yield Box("Points multipliers", MULTIPLIER_COLUMNS, shown)


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    ids = [item.data["claim_id"] for item in items]
    cancelled = Claim.objects.of(participant).filter(pk__in=ids, status=ClaimStatus.CANCELLED)
    taken_back = set(map(str, cancelled.values_list("pk", flat=True)))
    return {item.id: _line(item, taken_back, reader) for item in items}


def _line(item: Activity, cancelled: Container[str], reader: Any) -> Line:
    claim_id, paid = item.data["claim_id"], item.data["points_deducted"]
    is_taken_back = claim_id in cancelled and item.type != "reward.cancelled"
    return Line(
        format_html(WORDS[item.type], link(item.data["reward_name"], Claim, claim_id, reader)),
        detail=f"It cost {paid:,} points." if paid else "",
        reversal=link("Cancelled", Claim, claim_id, reader) if is_taken_back else "",
    )


WORDS = {
    "reward.claimed": "Reward {} handed out",
    "reward.pending": "Reward {} granted; it waits for stock",
    "reward.fulfilled": "Claim of {} fulfilled",
    "reward.cancelled": "Claim of {} cancelled",
}
STORY = Story("reward", "Rewards", "redeem", WORDS, _lines)
VIEW_PERMISSIONS = ("rewards.view_claim", "rewards.change_claim")
panels.register(
    "rewards",
    Panel(capability=Capability.SEE_PARTICIPANTS, view_permissions=VIEW_PERMISSIONS, boxes=_boxes, story=STORY),
)
