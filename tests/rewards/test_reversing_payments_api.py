"""Reversing the ledger entry that paid for a claim cancels the claim."""

import pytest

from gamify.points.models import LedgerEntry
from participants.models import Participant
from rewards.models import Claim, Reward
from tests.client import refusal

AWARD = {"participant_id": "ada", "amount": 100}


@pytest.fixture
def paid(api, admin_api):
    """The entry that paid for a mug."""
    mug = admin_api.post("/admin/rewards", {"name": "Mug", "type": "physical", "points_cost": 60}).json()
    api.post("/points/award", AWARD)
    api.post(f"/rewards/{mug['id']}/claim", {"participant_id": "ada", "points_deduction": True})
    return LedgerEntry.objects.get(type="claim")


def test_the_claim_is_cancelled_and_refunded_once(admin_api, paid, nothing_written):
    path = f"/admin/transactions/{paid.pk}/reverse"

    with nothing_written():
        preview = admin_api.post(f"{path}?dry_run=true", {"reason": "Lost in the post"}).json()
    done = admin_api.post(path, {"reason": "Lost in the post"}).json()

    assert preview == done | {"transaction_id": None}
    assert (done["delta"], done["new_balance"]) == (60, 100)
    claim = Claim.objects.get()
    assert (claim.status, claim.reason, str(claim.refund_id)) == (
        "cancelled",
        "Lost in the post",
        done["transaction_id"],
    )
    assert (Reward.objects.get().claimed, Participant.objects.get().rewards_claimed) == (0, 0)
    assert refusal(admin_api.post(path, {})) == (400, "already_cancelled", "Claim is cancelled already")


def test_a_refund_of_a_claim_cannot_be_reversed(admin_api, paid):
    admin_api.post(f"/admin/claims/{Claim.objects.get().pk}/cancel", {})
    refund = LedgerEntry.objects.get(type="refund")

    assert refusal(admin_api.post(f"/admin/transactions/{refund.pk}/reverse", {}))[1] == "not_reversible"
    assert refusal(admin_api.post(f"/admin/transactions/{paid.pk}/reverse", {}))[1] == "already_cancelled"
