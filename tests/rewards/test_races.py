"""No oversell, whatever runs concurrently."""

from collections import Counter
from functools import partial

import pytest
from django.utils import timezone

from gamify.points.models import LedgerEntry
from gamify.points.services import Change, award
from participants.errors import DomainError
from participants.models import Participant
from participants.services.tenants import create_tenant
from rewards.models import Claim, Reward, RewardCode
from rewards.services import RewardClaimed, add_codes, cancel, claim, create_reward
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def tenant(now):
    return create_tenant(slug="acme", name="Acme", now=now)


def attempts(tenant, reward, people, now):
    """Claim for each of `people`, one after the other on one connection."""
    results = []
    for person in people:
        try:
            answer = claim(tenant=tenant, reward_id=str(reward.pk), participant_id=person, deducts_points=True, now=now)
        except DomainError as refusal:
            results.append(refusal.code)
        else:
            results.append(answer)
    return results


def test_a_hundred_codes_are_handed_out_a_hundred_times(tenant, now):
    data = {"name": "Coupon", "reward_type": "coupon", "points_cost": 10}
    reward = create_reward(tenant=tenant, data=data, now=now)
    add_codes(tenant=tenant, reward_id=str(reward.pk), codes=[f"C{number}" for number in range(100)], now=now)
    people = [f"p{number}" for number in range(300)]
    for person in people:
        award(tenant=tenant, change=Change(person, 10), now=now)
    asked = [people[number % 300] for number in range(1_000)]

    found = all_at_once([partial(attempts, tenant, reward, asked[part::16], now) for part in range(16)])

    results = [result for part in found for result in part]
    claimed = [result for result in results if isinstance(result, RewardClaimed)]
    refused = Counter(result for result in results if isinstance(result, str))
    assert (
        len(claimed)
        == len({each.code_value for each in claimed})
        == len({each.participant_id for each in claimed})
        == 100
    )
    assert set(refused) == {"no_codes_available", "max_claims_exceeded"}
    assert Claim.objects.count() == LedgerEntry.objects.filter(type="claim").count() == 100
    assert set(Claim.objects.values_list("entry_id", flat=True)) == set(
        LedgerEntry.objects.filter(type="claim").values_list("pk", flat=True)
    )
    assert RewardCode.objects.filter(claim_id=None).count() == Reward.objects.get().free_codes == 0
    assert sum(Participant.objects.values_list("balance", flat=True)) == 3_000 - 1_000


def test_codes_made_concurrently_are_different(tenant, now):
    reward = create_reward(tenant=tenant, data={"name": "Coupon", "reward_type": "coupon"}, now=now)
    Reward.objects.update(
        code_pattern="##"
    )  # no definition may have this pattern: 64 codes, most of which will be used
    people = [f"p{number}" for number in range(48)]

    found = all_at_once([partial(attempts, tenant, reward, people[part::16], now) for part in range(16)])

    values = {result.code_value for part in found for result in part}
    assert len(values) == RewardCode.objects.exclude(claim_id=None).count() == Reward.objects.get().claimed == 48


def test_codes_added_during_claims_are_all_counted(tenant, now):
    reward = create_reward(tenant=tenant, data={"name": "Coupon", "reward_type": "coupon"}, now=now)
    add_codes(tenant=tenant, reward_id=str(reward.pk), codes=["first"], now=now)

    def put(part):
        for chunk in range(10):  # each is added by two threads
            codes = [f"{part // 2}-{chunk}-{number}" for number in range(20)]
            add_codes(tenant=tenant, reward_id=str(reward.pk), codes=codes, now=now)

    people = [[f"p{part}-{number}" for number in range(10)] for part in range(8)]
    putting = [partial(put, part) for part in range(8)]
    all_at_once([*putting, *(partial(attempts, tenant, reward, each, now) for each in people)])

    claimed = Claim.objects.count()
    codes = RewardCode.objects.filter(claim_id=None).count()
    assert Reward.objects.get().free_codes == codes == 801 - claimed
    assert len(set(Claim.objects.values_list("code_value", flat=True))) == claimed


def test_16_cancellations_refund_once(tenant, now):
    reward = create_reward(tenant=tenant, data={"name": "Mug", "reward_type": "physical", "points_cost": 10}, now=now)
    award(tenant=tenant, change=Change("ada", 10), now=now)
    answer = claim(tenant=tenant, reward_id=str(reward.pk), participant_id="ada", deducts_points=True, now=now)

    def attempt():
        try:
            return cancel(tenant=tenant, claim_id=str(answer.claim_id), reason=None, now=now).status
        except DomainError as refusal:
            return refusal.code

    assert Counter(all_at_once([attempt] * 16)) == {"cancelled": 1, "already_cancelled": 15}
    assert (Participant.objects.get().balance, Reward.objects.get().claimed) == (10, 0)
