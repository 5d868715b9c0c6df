from datetime import UTC, datetime

import pytest
import time_machine

from rewards.models import Reward
from rewards.services import add_codes, create_reward

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def make_reward(tenant):
    """`make_reward(points_cost=500, codes=["A"])` creates a reward of the tenant, by default a coupon."""

    def offer(name="10% Off Coupon", *, codes=(), owner=None, **fields):
        data = {"name": name, "reward_type": "coupon", **fields}
        reward = create_reward(tenant=owner or tenant, data=data, now=NOW)
        if codes:
            add_codes(tenant=owner or tenant, reward_id=str(reward.pk), codes=codes, now=NOW)
        return Reward.objects.get(pk=reward.pk)

    return offer
