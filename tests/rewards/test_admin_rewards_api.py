"""Admins define rewards, add codes, and cancel and fulfil claims."""

import pytest

from participants.models import DomainEvent, Participant
from rewards.models import Claim, Reward, RewardCode
from tests.client import Api, refusal
from tests.factories import ParticipantFactory, raw_key

SPEC = {
    "name": "Premium Gift Card",
    "type": "voucher",
    "description": "Redeemable for premium items",
    "points_cost": 1000,
    "max_claims_per_user": 1,
    "total_inventory": 100,
    "is_active": True,
}


def test_the_specs_creation_answers_201_with_the_whole_definition(tenant, admin_api):
    answer = admin_api.post("/admin/rewards", SPEC)

    row = Reward.objects.get()
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "id": str(row.pk),
            "tenant_id": str(tenant.pk),
            "code": row.code,
            **SPEC,
            "reward_type": "voucher",
            "display_order": 0,
            "min_tier_level": None,
            "starts_at": None,
            "expires_at": None,
            "image_url": None,
            "code_pattern": None,
            "config": None,
            "claimed": 0,
            "available_codes": None,
            "created_at": "2026-02-14T10:00:00Z",
            "updated_at": "2026-02-14T10:00:00Z",
        },
    )
    assert row.code.startswith("premium-gift-card-")


def test_both_names_of_the_type_and_an_own_code_are_accepted(admin_api):
    answer = admin_api.post("/admin/rewards", {"name": "Mug", "reward_type": "physical", "code": "mug"})

    assert (answer.json()["type"], answer.json()["code"]) == ("physical", "mug")
    again = admin_api.post("/admin/rewards", {"name": "Mug", "type": "physical", "code": "mug"})
    assert refusal(again) == (400, "reward_code_conflict", "Reward with code 'mug' already exists")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": None}, "type"),
        ({"type": "car"}, "type"),
        ({"reward_type": "coupon"}, "type"),
        ({"points_cost": -1}, "points_cost"),
        ({"points_cost": 2**63}, "points_cost"),
        ({"max_claims_per_user": 0}, "max_claims_per_user"),
        ({"total_inventory": -1}, "total_inventory"),
        ({"starts_at": "2026-02-01T00:00:00Z", "expires_at": "2026-02-01T00:00:00Z"}, "expires_at"),
        ({"image_url": "x"}, "image_url"),
        ({"name": ""}, "name"),
        ({"config": {"multiplier": 2, "duration_hours": 24}}, "config"),
        ({"code_pattern": "SUMMER-####"}, "code_pattern"),
        ({"code_pattern": "no wildcards at all, and so one code for all"}, "code_pattern"),
        ({"code_pattern": "S-####-????", "total_inventory": 1_000_000}, "code_pattern"),
        ({"code_pattern": "*" * 101}, "code_pattern"),
        ({"code_pattern": "S-####-????\x07"}, "code_pattern"),
    ],
)
def test_an_invalid_definition_is_422_and_not_created(admin_api, nothing_written, change, field):
    with nothing_written():
        answer = admin_api.post("/admin/rewards", SPEC | change)

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])


def test_definitions_are_changed_listed_and_deactivated(tenant, admin_api, other_tenant, make_reward):
    reward = make_reward()
    path = f"/admin/rewards/{reward.pk}"

    assert admin_api.patch(path, {"points_cost": 5, "total_inventory": None}).json()["points_cost"] == 5
    assert admin_api.get("/admin/rewards?reward_type=coupon").json()["total"] == 1
    assert admin_api.delete(path).json() == {"message": "Reward deactivated"}
    assert Api(raw_key(other_tenant, "admin")).get(path).status_code == 404


def test_codes_are_added_once(admin_api, make_reward):
    reward = make_reward(codes=["A"])
    path = f"/admin/rewards/{reward.pk}/codes"

    answer = admin_api.post(path, {"codes": ["B", "A", "C", "B"]})

    assert (answer.status_code, answer.json()) == (
        201,
        {"added": 2, "duplicates": ["A", "B"], "available_codes": 3},
    )
    assert RewardCode.objects.count() == 3


@pytest.mark.parametrize("codes", [[], ["x"] * 10_001, ["x" * 256], [""], "x", None])
def test_invalid_codes_are_refused(admin_api, make_reward, nothing_written, codes):
    reward = make_reward()

    with nothing_written():
        answer = admin_api.post(f"/admin/rewards/{reward.pk}/codes", {"codes": codes})

    assert answer.status_code == 422


def post_csv(api, reward, text, content_type="text/csv"):
    body = text if isinstance(text, bytes) else text.encode()
    return api.post(f"/admin/rewards/{reward.pk}/codes", body, content_type=content_type)


@pytest.mark.parametrize("content_type", ["text/csv", "text/csv; charset=utf-8", "Text/CSV; header=present"])
def test_codes_as_csv_get_the_same_answer_as_json(admin_api, make_reward, content_type):
    reward = make_reward(codes=["A"])

    answer = post_csv(admin_api, reward, b"\xef\xbb\xbfcode\r\nB\r\nA\r\n\r\nC\r\nB\r\n", content_type)

    assert (answer.status_code, answer.json()) == (
        201,
        {"added": 2, "duplicates": ["A", "B"], "available_codes": 3},
    )
    assert set(RewardCode.objects.values_list("value", flat=True)) == {"A", "B", "C"}


def test_one_invalid_line_of_csv_refuses_all_and_is_named(admin_api, make_reward, nothing_written):
    reward = make_reward()

    with nothing_written():
        answer = post_csv(admin_api, reward, "code\nA\nB,C\n" + "x" * 256 + "\n")

    assert refusal(answer) == (422, "validation_error", "line 3: Has 2 fields; give one code in each line.")
    assert [error["field"] for error in answer.json()["errors"]] == ["line 3", "line 4"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 422),
        ("code\n", 422),
        ("\n".join(map(str, range(10_001))), 422),
        (b"\xff\xfeA\x00\n\x00", 422),
        ("x" * (1024 * 1024 + 1), 413),
    ],
)
def test_csv_without_codes_with_too_many_or_of_too_many_bytes_is_refused(
    admin_api, make_reward, nothing_written, text, status
):
    reward = make_reward()

    with nothing_written():
        answer = post_csv(admin_api, reward, text)

    assert refusal(answer)[0] == status


def test_ten_thousand_codes_are_accepted(admin_api, make_reward):
    answer = post_csv(admin_api, make_reward(), "\n".join(f"SUMMER-{number:08}" for number in range(10_000)))

    assert answer.json() == {"added": 10_000, "duplicates": [], "available_codes": 10_000}


def test_csv_is_accepted_only_for_codes_and_forms_nowhere(admin_api, make_reward):
    reward = make_reward()

    assert admin_api.post("/admin/rewards", b"code\nA\n", content_type="text/csv").status_code == 415
    assert post_csv(admin_api, reward, "codes=A", "application/x-www-form-urlencoded").status_code == 415
    assert post_csv(admin_api, reward, "--x--", "multipart/form-data; boundary=x").status_code == 415


def test_a_code_that_was_handed_out_is_a_duplicate_too(admin_api, api, make_reward):
    reward = make_reward(codes=["A"])
    api.post(f"/rewards/{reward.pk}/claim", {"participant_id": "user_123"})

    assert post_csv(admin_api, reward, "A\n").json() == {"added": 0, "duplicates": ["A"], "available_codes": 0}


def test_only_admin_keys_add_codes_cancel_and_fulfil(api, make_reward):
    reward = make_reward()

    for path in (f"/admin/rewards/{reward.pk}/codes", "/admin/claims/x/cancel", "/admin/claims/x/fulfil"):
        assert api.post(path, {"codes": ["A"]}).status_code == 403


@pytest.fixture
def claimed(api, tenant, make_reward):
    ParticipantFactory(tenant=tenant, external_id="user_123", points=500)
    reward = make_reward(points_cost=300, codes=["A", "B"], total_inventory=5)
    claim_id = api.post(f"/rewards/{reward.pk}/claim", {"participant_id": "user_123", "points_deduction": True}).json()[
        "claim_id"
    ]
    return Claim.objects.get(pk=claim_id)


def test_cancelling_returns_points_and_inventory_once(admin_api, api, claimed):
    path = f"/admin/claims/{claimed.pk}/cancel"

    first, again = (admin_api.post(path, {"reason": "By mistake"}) for _ in range(2))

    assert (first.status_code, first.json()["status"], first.json()["participant_id"]) == (
        200,
        "cancelled",
        "user_123",
    )
    assert refusal(again) == (400, "already_cancelled", "Claim is cancelled already")
    person, reward = Participant.objects.get(), Reward.objects.get()
    assert (person.balance, person.total_earned, person.total_spent, person.rewards_claimed) == (500, 500, 0, 0)
    assert (reward.claimed, reward.free_codes) == (0, 1)  # the code may have been used
    entries = api.get("/participants/user_123/points/transactions").json()["transactions"]
    assert [(each["type"], each["delta"]) for each in entries] == [("refund", 300), ("claim", -300), ("award", 500)]
    assert api.post(f"/rewards/{reward.pk}/claim", {"participant_id": "user_123"}).json()["code_value"] == "B"


def test_a_claim_is_fulfilled_once(admin_api, claimed):
    path = f"/admin/claims/{claimed.pk}/fulfil"

    answers = [admin_api.post(path, {"reason": "Sent"}) for _ in range(2)]

    assert [answer.json()["status"] for answer in answers] == ["fulfilled", "fulfilled"]
    assert DomainEvent.objects.filter(type="reward.fulfilled").count() == 1


def test_a_cancelled_claim_cannot_be_fulfilled(admin_api, claimed):
    admin_api.post(f"/admin/claims/{claimed.pk}/cancel", {})

    answer = admin_api.post(f"/admin/claims/{claimed.pk}/fulfil", {})

    assert refusal(answer) == (400, "claim_not_open", "Claim is cancelled")


def test_claims_of_other_tenants_are_not_found(other_tenant, claimed):
    other = Api(raw_key(other_tenant, "admin"))

    for claim_id in (claimed.pk, "x"):
        assert refusal(other.post(f"/admin/claims/{claim_id}/cancel", {}))[:2] == (404, "claim_not_found")


def test_anonymising_removes_the_code_from_the_claim(admin_api, claimed):
    admin_api.delete("/admin/participants/user_123?anonymize=true")

    assert Claim.objects.get().code_value is None


@pytest.mark.parametrize("how", ["", "?anonymize=true"])
def test_the_code_of_an_erased_participant_is_not_reused(api, admin_api, claimed, how):
    admin_api.delete(f"/admin/participants/user_123{how}")

    again = admin_api.post(f"/admin/rewards/{claimed.reward_id}/codes", {"codes": [claimed.code_value]})
    values = [
        api.post(f"/rewards/{claimed.reward_id}/claim", {"participant_id": person}).json().get("code_value")
        for person in ("bo", "cy")
    ]

    assert again.json() == {"added": 0, "duplicates": ["A"], "available_codes": 1}
    assert values == ["B", None]
