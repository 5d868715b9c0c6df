"""Points multipliers: defined, claimed, granted, pending, cancelled, and found by awards."""

from datetime import timedelta

import pytest
import time_machine

from participants.models import DomainEvent, Participant
from participants.work import unit_of_work
from rewards import tasks
from rewards.models import Claim, Reward, RewardTally
from rewards.selectors import active_multipliers
from rewards.services import cancel, multipliers_at
from tests.client import refused_fields
from tests.factories import ParticipantFactory
from tests.rewards.conftest import NOW
from tests.rewards.test_claims_api import claim
from tests.rewards.test_grants import buy, granting, reloaded

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
CONFIG = {"multiplier": 2, "duration_hours": 24}
DOUBLE = {"name": "Double points", "type": "points_multiplier", "config": CONFIG}


@pytest.fixture
def double(make_reward):
    return make_reward("Double points", reward_type="points_multiplier", config=CONFIG, max_claims_per_user=None)


def found(tenant, *people, at=NOW):
    """Return the factors that an award to each of `people` finds in one unit, for an event at `at`."""
    with unit_of_work(reloaded(tenant), people, now=NOW, is_dry_run=True) as work:
        return [list(multipliers_at(work, work.participant(person), at)) for person in people]


def lasts(tenant, start, end, *, factor=2, person="user_123"):
    """Whether the multiplier of `person` is active from `start` until before `end`."""
    moments = (start - SECOND, start, end - SECOND, end)
    return [found(tenant, person, at=at) for at in moments] == [[[]], [[factor]], [[factor]], [[]]]


def test_a_definition_has_factor_and_duration(admin_api):
    created = admin_api.post("/admin/rewards", DOUBLE).json()

    assert (created["type"], created["config"]) == ("points_multiplier", CONFIG)
    changed = admin_api.patch(f"/admin/rewards/{created['id']}", {"config": {"multiplier": 1.5, "duration_hours": 0.5}})
    assert changed.json()["config"] == {"multiplier": 1.5, "duration_hours": 0.5}


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (None, "config"),
        ({}, "config"),
        ([], "config.non_field_errors"),
        ({"multiplier": 2}, "config.duration_hours"),
        ({"multiplier": None, "duration_hours": 1}, "config.multiplier"),
        *(({**CONFIG, "multiplier": wrong}, "config.multiplier") for wrong in (0, -1, 100.0001, 1.00001, "two", True)),
        *(({**CONFIG, "duration_hours": wrong}, "config.duration_hours") for wrong in (0, -1, 8784.5, 1e300, [1])),
    ],
)
def test_an_invalid_multiplier_is_refused(admin_api, nothing_written, config, field):
    with nothing_written():
        answer = admin_api.post("/admin/rewards", DOUBLE | {"config": config})

    assert refused_fields(answer) == [field.removesuffix(".non_field_errors")]


@pytest.mark.parametrize("multiplier", [0.0001, 1, 100])
def test_the_smallest_and_the_largest_multiplier_are_accepted(admin_api, multiplier):
    config = {"multiplier": multiplier, "duration_hours": 8784}

    assert admin_api.post("/admin/rewards", DOUBLE | {"config": config}).json()["config"] == config


def test_the_type_points_multiplier_never_changes(admin_api, double, make_reward):
    mug = make_reward("Mug", reward_type="physical")

    for reward, change, field in [
        (double, {"type": "coupon", "config": None}, "type"),
        (double, {"config": None}, "config"),
        (double, {"config": {"multiplier": 3}}, "config.duration_hours"),
        (mug, {"type": "points_multiplier", "config": CONFIG}, "type"),
        (mug, {"config": CONFIG}, "config"),
    ]:
        assert refused_fields(admin_api.patch(f"/admin/rewards/{reward.pk}", change)) == [field]
    assert admin_api.patch(f"/admin/rewards/{mug.pk}", {"type": "digital", "config": {}}).status_code == 200


def test_a_multiplier_starts_with_the_claim(api, tenant, double):
    claim(api, double)

    listed = api.get("/participants/user_123/rewards").json()["rewards"][0]
    assert (listed["multiplier"], listed["active_until"]) == (2, "2026-02-15T10:00:00Z")
    assert lasts(tenant, NOW, NOW + 24 * HOUR)
    answer = DomainEvent.objects.get(type="reward.claimed").data
    assert (answer["multiplier"], answer["active_until"]) == (2, "2026-02-15T10:00:00Z")


def test_other_claims_have_no_multiplier_fields(api, make_reward):
    claim(api, make_reward())

    assert not {"multiplier", "active_until"} & set(api.get("/participants/user_123/rewards").json()["rewards"][0])


def test_a_second_claim_restarts_the_multiplier_and_does_not_multiply_it(api, tenant, double, clock):
    claim(api, double)
    clock.shift(20 * HOUR)
    claim(api, double)

    assert lasts(tenant, NOW + 20 * HOUR, NOW + 44 * HOUR)


def test_two_different_multipliers_are_both_found(api, tenant, double, make_reward):
    triple = make_reward("Triple", reward_type="points_multiplier", config={"multiplier": 3, "duration_hours": 1})
    for reward in (double, triple):
        claim(api, reward)

    assert sorted(found(tenant, "user_123")[0]) == [2, 3]
    assert found(tenant, "user_123", at=NOW + 2 * HOUR) == [[2]]
    participant = Participant.objects.get()
    assert [each.reward.name for each in active_multipliers(participant, now=NOW)] == ["Double points", "Triple"]


def test_a_grant_starts_the_multiplier_for_later_grants(tenant, double):
    granting(tenant, double)

    buy(tenant)

    assert lasts(tenant, NOW, NOW + 24 * HOUR, person="ada")


def test_a_pending_multiplier_starts_when_stock_comes(tenant, double, clock):
    Reward.objects.update(total_inventory=0)
    granting(tenant, double)
    buy(tenant)
    assert found(tenant, "ada") == [[]]
    clock.shift(5 * HOUR)
    Reward.objects.update(total_inventory=1)

    tasks.serve_waiting()

    assert Claim.objects.get().active_until == NOW + 29 * HOUR
    assert lasts(tenant, NOW + 5 * HOUR, NOW + 29 * HOUR, person="ada")


def test_cancelling_ends_the_multiplier_at_once(api, tenant, double, clock):
    answer = claim(api, double).json()
    clock.shift(HOUR)

    cancel(tenant=reloaded(tenant), claim_id=answer["claim_id"], reason=None, now=NOW + HOUR)

    assert found(tenant, "user_123", at=NOW + HOUR) == [[]]
    assert Claim.objects.get().active_until == NOW + HOUR


def test_cancelling_the_newest_claim_restores_the_multiplier_of_the_one_before(api, tenant, double, clock):
    claim(api, double)
    clock.shift(HOUR)
    answer = claim(api, double).json()

    cancel(tenant=reloaded(tenant), claim_id=answer["claim_id"], reason=None, now=NOW + HOUR)

    assert lasts(tenant, NOW, NOW + 24 * HOUR)


def test_cancelling_the_older_claim_keeps_the_multiplier_of_the_newest(api, tenant, double, clock):
    answer = claim(api, double).json()
    clock.shift(HOUR)
    claim(api, double)

    cancel(tenant=reloaded(tenant), claim_id=answer["claim_id"], reason=None, now=NOW + HOUR)

    assert lasts(tenant, NOW + HOUR, NOW + 25 * HOUR)


def test_a_change_of_the_definition_does_not_change_claims(api, admin_api, tenant, double):
    claim(api, double)

    admin_api.patch(f"/admin/rewards/{double.pk}", {"config": {"multiplier": 3, "duration_hours": 1}})
    admin_api.delete(f"/admin/rewards/{double.pk}")

    assert lasts(tenant, NOW, NOW + 24 * HOUR)


def test_a_multiplier_belongs_to_one_participant_of_one_tenant(api, tenant, other_tenant, double):
    claim(api, double)
    for owner in (tenant, other_tenant):
        ParticipantFactory(tenant=owner, external_id="bo")

    assert found(tenant, "user_123", "bo", "nobody")[1:] == [[], []]
    assert found(other_tenant, "user_123", "bo") == [[], []]


def test_no_query_for_participants_who_cannot_have_a_multiplier(api, tenant, make_reward, queries):
    claim(api, make_reward("Mug", reward_type="physical"))
    ParticipantFactory(tenant=tenant, external_id="bo")
    with unit_of_work(reloaded(tenant), ["user_123"], now=NOW, is_dry_run=True) as work:
        list(multipliers_at(work, work.participant("user_123"), NOW))  # loads the catalog
        with queries(0):
            assert not list(multipliers_at(work, work.participant("user_123"), NOW))


def test_one_query_per_unit_and_none_for_participants_without_rewards(api, tenant, double, queries):
    people = [f"p{number}" for number in range(20)]
    for person in people[:10]:
        claim(api, double, user=person)
    for person in people[10:]:
        ParticipantFactory(tenant=tenant, external_id=person)
    found(tenant, "p0")

    with unit_of_work(reloaded(tenant), people, now=NOW, is_dry_run=True) as work:
        with queries(0):
            assert not any(list(multipliers_at(work, work.participant(person), NOW)) for person in people[10:])
        with queries(1):
            assert all(list(multipliers_at(work, work.participant(person), NOW)) for person in people[:10])


def test_erasing_a_participant_deletes_their_multipliers(api, admin_api, double):
    claim(api, double)

    admin_api.delete("/admin/participants/user_123")

    assert not RewardTally.objects.exists()


def test_awards_are_multiplied_until_the_multiplier_ends_or_is_cancelled(tenant, api, admin_api):
    reward = admin_api.post("/admin/rewards", DOUBLE).json()
    award = {"participant_id": "ada", "amount": 10}

    with time_machine.travel("2026-02-14T10:00:00Z", tick=False) as clock:
        amounts = [api.post("/points/award", award).json()["amount"]]
        mine = api.post(f"/rewards/{reward['id']}/claim", {"participant_id": "ada"}).json()
        amounts += [api.post("/points/award", award).json()["amount"]]
        amounts += [api.post("/points/award", award | {"participant_id": "bob"}).json()["amount"]]
        admin_api.post(f"/admin/claims/{mine['claim_id']}/cancel", {})
        clock.shift(timedelta(seconds=1))
        amounts += [api.post("/points/award", award).json()["amount"]]

    assert amounts == [10, 20, 10, 10]
