"""Codes that are made on demand."""

import re

from rewards import tasks
from rewards.models import Claim, Reward, RewardCode
from rewards.services import cancel
from tests.client import refusal
from tests.factories import RuleFactory
from tests.rewards.conftest import NOW
from tests.rewards.test_claims_api import claim
from tests.rewards.test_grants import buy, granting, states

PATTERN = "SUMMER-####-????"
MADE = re.compile(r"SUMMER-[2-9]{4}-[A-Z]{4}")


def test_a_claim_gets_a_new_code(api, make_reward):
    reward = make_reward(code_pattern=PATTERN)

    value = claim(api, reward).json()["code_value"]

    code, row = RewardCode.objects.get(), Claim.objects.get()
    assert MADE.fullmatch(value)
    assert (code.value, code.claim_id, row.code_value) == (value, row.pk, value)
    assert Reward.objects.get().free_codes == 0


def test_stored_codes_are_used_first_and_codes_never_run_out(api, admin_api, make_reward):
    reward = make_reward(code_pattern=PATTERN, codes=["PRINTED-1"])

    values = [claim(api, reward, user=user).json()["code_value"] for user in ("a", "b")]

    assert values[0] == "PRINTED-1"
    assert MADE.fullmatch(values[1])
    assert api.get("/rewards").json()["rewards"][0]["available_codes"] is None
    assert admin_api.get(f"/admin/rewards/{reward.pk}").json()["available_codes"] is None


def test_no_code_is_made_twice_and_claims_fail_after_the_last_one(api, make_reward):
    reward = make_reward()
    Reward.objects.update(code_pattern="#")  # no definition may have this pattern: it allows 8 codes

    answers = [claim(api, reward, user=f"p{number}") for number in range(9)]

    assert sorted(answer.json()["code_value"] for answer in answers[:8]) == list("23456789")
    assert refusal(answers[8]) == (400, "no_codes_available", "No available reward codes")
    assert Reward.objects.get().claimed == Claim.objects.count() == 8


def test_two_grants_of_one_event_make_two_codes(tenant, make_reward):
    reward = make_reward(max_claims_per_user=None)
    Reward.objects.update(code_pattern="#")
    granting(tenant, reward)
    RuleFactory(tenant=tenant, code="more", event_types=["buy"], grants=[{"type": "reward", "id": str(reward.pk)}] * 5)

    buy(tenant)

    assert len(set(Claim.objects.values_list("code_value", flat=True))) == RewardCode.objects.count() == 6


def test_a_grant_without_codes_is_pending_and_counts_nothing(tenant, make_reward):
    reward = make_reward()
    Reward.objects.update(code_pattern="#")
    granting(tenant, reward)
    for number in range(9):
        buy(tenant, f"p{number}")

    assert [status for _, status, _ in states()] == ["claimed"] * 8 + ["pending"]
    assert Reward.objects.get().claimed == 8


def test_a_new_pattern_serves_pending_claims(tenant, make_reward):
    reward = make_reward(codes=["A"])
    granting(tenant, reward)
    for user in ("ada", "bo"):
        buy(tenant, user)
    Reward.objects.update(code_pattern=PATTERN)

    tasks.serve_waiting()

    (_, _, first), (_, status, second) = states()
    assert (first, status) == ("A", "claimed")
    assert MADE.fullmatch(second)


def test_the_code_of_a_cancelled_claim_is_not_reused(tenant, api, make_reward):
    reward = make_reward(code_pattern=PATTERN)
    answer = claim(api, reward).json()

    cancel(tenant=tenant, claim_id=answer["claim_id"], reason=None, now=NOW)

    assert RewardCode.objects.get().claim_id is not None
    assert claim(api, reward).json()["code_value"] != answer["code_value"]


def test_inventory_and_pattern_are_checked_together(admin_api, make_reward, nothing_written):
    reward = make_reward(code_pattern=PATTERN)

    with nothing_written():
        answer = admin_api.patch(f"/admin/rewards/{reward.pk}", {"total_inventory": 1_000_000})

    assert answer.json()["detail"].startswith("code_pattern: Allows 959,512,576 different codes")
    assert admin_api.patch(f"/admin/rewards/{reward.pk}", {"code_pattern": None}).json()["code_pattern"] is None


def test_query_counts(api, make_reward, queries):
    reward = make_reward(code_pattern=PATTERN, max_claims_per_user=None)
    claim(api, reward)

    # key, caps aside: lock, version, tally; reward, pending claims, candidates; participant, claim, code, tally, reward, event
    with queries(14):  # of which three share a round trip: the lock, and what waits for the reward
        claim(api, reward)
