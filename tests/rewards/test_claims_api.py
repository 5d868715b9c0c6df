"""The list of rewards, claims, and the claims of a participant."""

from datetime import timedelta

import pytest

from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, Participant
from rewards.models import Claim, Reward, RewardCode
from tests.client import refusal, refused_fields
from tests.factories import ParticipantFactory, TierFactory
from tests.rewards.conftest import NOW

DAY = timedelta(days=1)


def claim(api, reward, user="user_123", **body):
    return api.post(f"/rewards/{getattr(reward, 'pk', reward)}/claim", {"participant_id": user, **body})


def test_the_specs_list(api, tenant, other_tenant, make_reward):
    coupon = make_reward(
        description="10% discount on next purchase", points_cost=500, codes=[f"C{number}" for number in range(45)]
    )
    make_reward("Mug", reward_type="physical")
    make_reward("Foreign", owner=other_tenant)
    make_reward("Inactive", is_active=False)
    make_reward("Early", starts_at=NOW + DAY)
    make_reward("Over", expires_at=NOW)

    answer = api.get("/rewards?reward_type=coupon").json()

    assert answer == {
        "rewards": [
            {
                "id": str(coupon.pk),
                "name": "10% Off Coupon",
                "type": "coupon",
                "description": "10% discount on next purchase",
                "points_cost": 500,
                "available_codes": 45,
                "max_claims_per_user": 1,
                "image_url": None,
            }
        ],
        "total": 1,
    }
    assert [each["name"] for each in api.get("/rewards").json()["rewards"]] == ["10% Off Coupon", "Mug"]


@pytest.mark.parametrize(("query", "names"), [
    ("", ["A", "B", "C"]),
    ("?page_size=2", ["A", "B"]),
    ("?page=2&page_size=2", ["C"]),
    ("?page=3&page_size=2", []),
    ("?page=2", []),
    ("?page=&page_size=", ["A", "B", "C"]),
    ("?reward_type=physical&page_size=1", ["A"]),
])  # fmt: skip
def test_the_list_has_pages_and_a_total(api, make_reward, query, names):
    for name in ("A", "B", "C"):
        make_reward(name, reward_type="physical")

    answer = api.get(f"/rewards{query}").json()

    assert ([each["name"] for each in answer["rewards"]], answer["total"]) == (names, 3)


@pytest.mark.parametrize("query", ["page_size=101", "page_size=0", "page=0", "page=1_0", "page_size=%EF%BC%91"])
def test_a_page_of_rewards_out_of_range_is_refused(api, query):
    assert refused_fields(api.get(f"/rewards?{query}")) == [query.partition("=")[0]]


def test_the_specs_claim_deducts_points_and_returns_a_code(api, tenant, make_reward):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=1500)
    reward = make_reward(points_cost=500, codes=["SAVE10-ABC123", "SAVE10-ABC124"])

    answer = claim(api, reward, points_deduction=True)

    row = Claim.objects.get()
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "claim_id": str(row.pk),
            "participant_id": "user_123",
            "reward_name": "10% Off Coupon",
            "reward_type": "coupon",
            "code_value": "SAVE10-ABC123",
            "points_deducted": 500,
            "new_balance": 1000,
        },
    )
    entry = LedgerEntry.objects.get(type="claim")
    assert (row.entry_id, entry.delta, entry.balance_after) == (entry.pk, -500, 1000)
    assert RewardCode.objects.get(value="SAVE10-ABC123").claim_id == row.pk
    types = DomainEvent.objects.order_by("id").values_list("type", flat=True)
    assert list(types) == ["points.deducted", "reward.claimed"]
    assert api.get("/participants/user_123/state?include=rewards").json()["rewards"] == {"total_claimed": 1}
    assert api.get("/participants/user_123").json()["rewards_claimed"] == 1


@pytest.mark.parametrize("kind", ["coupon", "voucher", "physical", "digital", "points_multiplier"])
def test_rewards_of_all_types_are_listed_and_claimed(api, admin_api, kind):
    config = {"config": {"multiplier": 2, "duration_hours": 24}} if kind == "points_multiplier" else {}
    created = admin_api.post("/admin/rewards", {"name": "It", "type": kind, **config}).json()
    admin_api.post("/admin/rewards", {"name": "Another", "type": "digital" if kind == "coupon" else "coupon"})

    listed = api.get(f"/rewards?reward_type={kind}").json()
    claimed = claim(api, created["id"]).json()

    assert [(each["id"], each["type"], each["available_codes"]) for each in listed["rewards"]] == [
        (created["id"], kind, None)
    ]
    assert (listed["total"], claimed["reward_type"], claimed["code_value"]) == (1, kind, None)
    assert api.get("/participants/user_123/rewards").json()["rewards"][0]["reward_type"] == kind


def test_a_claim_without_deduction_is_free_and_creates_the_participant(api, make_reward):
    answer = claim(api, make_reward(points_cost=500)).json()

    assert (answer["points_deducted"], answer["new_balance"], answer["code_value"]) == (0, 0, None)
    assert Participant.objects.get().rewards_claimed == 1


def test_claims_are_listed_newest_first(api, tenant, make_reward):
    for name in ("One", "Two"):
        claim(api, make_reward(name, codes=[f"{name}-1"]))

    listed = api.get("/participants/user_123/rewards?page_size=1").json()

    reward = Reward.objects.get(name="Two")
    assert listed == {
        "participant_id": "user_123",
        "rewards": [
            {
                "claim_id": str(Claim.objects.get(reward_name="Two").pk),
                "reward_id": str(reward.pk),
                "reward_name": "Two",
                "reward_type": "coupon",
                "code_value": "Two-1",
                "points_deducted": 0,
                "status": "claimed",
                "claimed_at": "2026-02-14T10:00:00Z",
            }
        ],
        "total": 2,
        "page": 1,
        "page_size": 1,
    }
    assert api.get("/participants/nobody/rewards").json()["rewards"] == []


@pytest.mark.parametrize(
    ("fields", "codes", "refused"),
    [
        ({"is_active": False, "min_tier_level": 9}, [], ("reward_unavailable", "Reward is not available")),
        ({"starts_at": NOW + DAY}, [], ("reward_unavailable", "Reward is not available")),
        ({"expires_at": NOW}, [], ("reward_unavailable", "Reward is not available")),
        (
            {"min_tier_level": 3, "total_inventory": 0},
            [],
            ("tier_too_low", "Reward requires a tier of level 3 or higher"),
        ),
        ({"total_inventory": 0, "points_cost": 999}, [], ("out_of_stock", "Reward is out of stock")),
        ({"points_cost": 999}, None, ("no_codes_available", "No available reward codes")),
        (
            {"points_cost": 50},
            ["A"],
            ("insufficient_points", "Insufficient points. Available: 30, requested: 50"),
        ),
    ],
)
def test_refusals_come_in_order_and_cost_nothing(api, tenant, make_reward, nothing_written, fields, codes, refused):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=30)
    reward = make_reward(codes=codes or ["gone"] if codes is None else codes, **fields)
    if codes is None:
        claim(api, reward, user="first")

    with nothing_written():
        answer = claim(api, reward, points_deduction=True)

    assert refusal(answer) == (400, *refused)


def test_the_cap_holds_per_participant(api, make_reward):
    reward = make_reward(max_claims_per_user=2)

    answers = [claim(api, reward, user=user) for user in ("a", "a", "a", "b")]

    assert [answer.status_code for answer in answers] == [200, 200, 400, 200]
    assert refusal(answers[2])[1:] == ("max_claims_exceeded", "Maximum claims per participant exceeded")


def test_a_participant_in_a_high_enough_tier_can_claim(api, tenant, make_reward):
    TierFactory(tenant=tenant, code="gold", level=3)
    ParticipantFactory(tenant=tenant, external_id="user_123", tier_code="gold")

    assert claim(api, make_reward(min_tier_level=3)).status_code == 200


@pytest.mark.parametrize("unknown", ["01a20030-0000-773b-a1f2-79a6f16a65ee", "nope"])
def test_unknown_rewards_are_not_found(api, nothing_written, tenant, unknown):
    with nothing_written():
        answer = claim(api, unknown)

    assert refusal(answer) == (404, "reward_not_found", f"Reward not found: {unknown}")


def test_another_tenants_reward_is_not_found(other_api, make_reward):
    reward = make_reward()

    assert claim(other_api, reward).status_code == 404


def test_a_repeat_with_the_same_key_returns_the_same_answer_even_without_stock(api, tenant, make_reward):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=500)
    reward = make_reward(points_cost=500, codes=["A"])

    first, again = (claim(api, reward, points_deduction=True, idempotency_key="k") for _ in range(2))

    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = make_reward("Other")
    assert refusal(claim(api, other, idempotency_key="k"))[:2] == (422, "IDEMPOTENCY_KEY_REUSED")


def test_query_counts(api, tenant, make_reward, queries):
    reward = make_reward(codes=["A", "B", "C"], max_claims_per_user=None)
    claim(api, reward)

    # key, caps aside: lock, version, tally; reward, pending claims, code; participant, claim, code, tally, reward, event
    with queries(13):
        claim(api, reward)
