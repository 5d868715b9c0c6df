"""Rewards that definitions grant, with and without stock."""

from datetime import timedelta

from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit, grant_problem, simulate
from participants.models import DomainEvent, Participant, Tenant
from rewards import tasks
from rewards.models import Claim, Reward, RewardTally
from rewards.services import add_codes
from streaks.services import create_streak, record
from tests.factories import RuleFactory
from tests.rewards.conftest import NOW


def reloaded(tenant):
    return Tenant.objects.get(pk=tenant.pk)


def granting(tenant, reward):
    RuleFactory(tenant=tenant, code="gift", event_types=["buy"], grants=[{"type": "reward", "id": str(reward.pk)}])


def buy(tenant, user="ada"):
    return emit(tenant=reloaded(tenant), event=EventInput(user, "buy", NOW), now=NOW)


def states():
    return list(Claim.objects.order_by("pk").values_list("participant__external_id", "status", "code_value"))


def test_a_rule_grants_a_reward_for_free(tenant, make_reward):
    reward = make_reward(points_cost=500, codes=["A"])
    granting(tenant, reward)

    emitted = buy(tenant)

    source = {"type": "rule", "code": "gift"}
    assert emitted.rewards_granted == [
        {"type": "reward", "id": str(reward.pk), "name": "10% Off Coupon", "source": source}
    ]
    claim = Claim.objects.get()
    assert (claim.status, claim.code_value, claim.source, claim.event_id) == ("claimed", "A", source, emitted.event_id)


def test_a_grant_without_stock_is_pending_and_served_in_order(tenant, make_reward):
    reward = make_reward(codes=["A"])
    granting(tenant, reward)
    for user in ("ada", "bo", "cy"):
        buy(tenant, user)
    assert states() == [("ada", "claimed", "A"), ("bo", "pending", None), ("cy", "pending", None)]
    add_codes(tenant=tenant, reward_id=str(reward.pk), codes=["B"], now=NOW)

    for _ in range(2):
        tasks.serve_waiting()

    assert states() == [("ada", "claimed", "A"), ("bo", "claimed", "B"), ("cy", "pending", None)]
    people = dict(Participant.objects.values_list("external_id", "rewards_claimed"))
    assert people == {"ada": 1, "bo": 1, "cy": 0}
    assert DomainEvent.objects.filter(type="reward.claimed").count() == 2


def test_a_larger_inventory_serves_pending_claims(tenant, make_reward):
    reward = make_reward(reward_type="physical", total_inventory=0)
    granting(tenant, reward)
    buy(tenant)
    Reward.objects.update(total_inventory=1)

    tasks.serve_waiting()

    assert states() == [("ada", "claimed", None)]


def test_the_cap_holds_for_grants_and_the_trace_says_so(tenant, make_reward):
    granting(tenant, make_reward())

    first, second = buy(tenant), buy(tenant)

    assert (len(first.rewards_granted), second.rewards_granted) == (1, [])
    assert RewardTally.objects.get().claims == 1


def test_a_milestone_grants_its_reward(tenant, make_reward):
    reward = make_reward()
    milestone = {"threshold": 2, "reward_item_id": str(reward.pk), "repeatable": False}
    data = {"code": "daily", "name": "Daily", "event_types": ["login"], "milestones": [milestone]}
    create_streak(tenant=tenant, data=data, now=NOW)
    for days in (1, 0):
        at = NOW - timedelta(days=days)
        record(tenant=reloaded(tenant), participant_id="ada", streak_code="daily", at=at, now=NOW)

    assert Claim.objects.get().source == {"type": "streak", "code": "daily"}


def test_a_trial_run_of_an_event_grants_nothing(tenant, make_reward, nothing_written):
    reward = make_reward(codes=["A"])
    granting(tenant, reward)

    with nothing_written():
        simulated = simulate(tenant=reloaded(tenant), event=EventInput("ada", "buy", NOW), now=NOW)

    assert [given["type"] for given in simulated.rewards_granted] == ["reward"]


def test_a_grant_must_name_an_active_reward_of_the_tenant(tenant, other_tenant, make_reward):
    mine, retired, foreign = make_reward(), make_reward("Old", is_active=False), make_reward("F", owner=other_tenant)

    problems = [grant_problem(tenant, {"type": "reward", "id": str(each.pk)}) for each in (mine, retired, foreign)]

    assert [problem and problem.field for problem in problems] == [None, "id", "id"]
    assert grant_problem(tenant, {"type": "reward", "id": 5}).field == "id"
