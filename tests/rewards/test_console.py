"""Rewards in the console."""

import pytest

from participants.models import Participant
from rewards.models import Claim, Reward
from rewards.services import claim
from tests.console import Console, errors_of, staff, text_of
from tests.factories import ParticipantFactory
from tests.rewards.conftest import NOW


def test_a_reward_is_defined_in_a_form(tenant):
    answer = Console(tenant).post(
        "rewards_reward_add",
        opened_for=str(tenant.pk),
        name="Mug",
        reward_type="physical",
        points_cost="50",
        max_claims_per_user="",
        total_inventory="10",
        starts_at="2026-02-01T00:00:00",
        is_active="on",
        display_order="0",
    )

    reward = Reward.objects.get()
    assert answer.status_code == 302
    assert (reward.points_cost, reward.max_claims_per_user, reward.total_inventory) == (50, None, 10)
    assert reward.code.startswith("mug-")


MULTIPLIER = {
    "name": "Double points",
    "reward_type": "points_multiplier",
    "points_cost": "0",
    "is_active": "on",
    "display_order": "0",
}


def test_a_multiplier_is_defined_and_changed_without_json(tenant):
    console = Console(tenant)
    console.post("rewards_reward_add", opened_for=str(tenant.pk), **MULTIPLIER, multiplier="1.5", duration_hours="24")
    reward = Reward.objects.get()
    assert reward.config == {"multiplier": 1.5, "duration_hours": 24}

    console.edit("rewards_reward_change", reward.pk, duration_hours="48")

    assert Reward.objects.get().config == {"multiplier": 1.5, "duration_hours": 48}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "multiplier"),
        ({"multiplier": "2"}, "duration_hours"),
        ({"multiplier": "101", "duration_hours": "1"}, "multiplier"),
        ({"multiplier": "x", "duration_hours": "1"}, "multiplier"),
        ({"reward_type": "coupon", "multiplier": "2", "duration_hours": "1"}, "multiplier"),
        ({"multiplier": "2", "duration_hours": "1", "code_pattern": "##"}, "code_pattern"),
    ],
)
def test_problems_are_shown_at_their_field(tenant, nothing_written, given, field):
    console = Console(tenant)
    with nothing_written():
        answer = console.post("rewards_reward_add", opened_for=str(tenant.pk), **MULTIPLIER | given)

    assert field in errors_of(answer)


def test_other_rewards_are_edited_as_before(tenant, make_reward):
    reward = make_reward(code_pattern="SALE-####-????")

    Console(tenant).edit("rewards_reward_change", reward.pk, name="New name")

    changed = Reward.objects.get()
    assert (changed.name, changed.config, changed.code_pattern) == ("New name", None, "SALE-####-????")


def test_multipliers_are_shown_with_their_end(tenant, make_reward):
    config = {"multiplier": 1.5, "duration_hours": 24}
    reward = make_reward("Happy day", reward_type="points_multiplier", config=config)
    claimed_now = claim(tenant=tenant, reward_id=str(reward.pk), participant_id="ada", now=NOW)
    console = Console(tenant)

    claimed = text_of(console.get("rewards_claim_change", claimed_now.claim_id))
    person = text_of(console.get("participants_participant_change", Claim.objects.get().participant_id))

    for shown in (claimed, person):
        assert "×1.5" in shown
        assert "2026-02-15 10:00:00" in shown


@pytest.fixture
def claimed(tenant, make_reward):
    ParticipantFactory(tenant=tenant, external_id="ada", points=100)
    reward = make_reward("Mug", reward_type="physical", points_cost=60)
    claimed_now = claim(tenant=tenant, reward_id=str(reward.pk), participant_id="ada", deducts_points=True, now=NOW)
    return Claim.objects.get(pk=claimed_now.claim_id)


def test_a_claim_is_fulfilled_then_cancelled_with_a_reason(tenant, claimed):
    console = Console(tenant)

    console.post("rewards_claim_fulfil", claimed.pk, reason="Sent")
    assert Claim.objects.get().status == "fulfilled"
    console.post("rewards_claim_cancel", claimed.pk, reason="Came back")

    row = Claim.objects.get()
    assert (row.status, row.reason, Participant.objects.get().balance) == ("cancelled", "Came back", 100)


def test_a_participants_page_shows_their_rewards(tenant, claimed):
    shown = text_of(Console(tenant).get("participants_participant_change", claimed.participant_id))

    assert "Mug" in shown


def test_claims_are_found_by_participant_with_a_constant_number_of_queries(tenant, claimed):
    console = Console(tenant)

    assert "Mug" in text_of(console.get("rewards_claim_changelist", q="ada"))
    assert "Mug" not in text_of(console.get("rewards_claim_changelist", q="bo"))


def test_permission_to_view_is_not_permission_to_cancel(tenant, claimed):
    reader = Console(tenant, user=staff("rewards.view_claim"))

    assert reader.post("rewards_claim_cancel", claimed.pk, reason="x").status_code == 403


def test_claims_of_other_tenants_are_not_found(other_tenant, claimed):
    assert Console(other_tenant).get("rewards_claim_change", claimed.pk).status_code == 302
