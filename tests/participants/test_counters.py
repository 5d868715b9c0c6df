"""Counters in Redis: the same numbers as `limits` itself gives, in one round trip."""

import os
import time
from uuid import uuid4

import pytest
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from participants.counters import Counters, RedisCounters

pytestmark = pytest.mark.any_database  # Redis runs with the servers only
LIMIT = 3


@pytest.fixture
def counters() -> RedisCounters:
    return RedisCounters(os.environ["REDIS_URL"], timeout=5.0)


@pytest.fixture
def reference() -> SlidingWindowCounterRateLimiter:
    """`limits` as its documentation uses it, on counters of its own."""
    return SlidingWindowCounterRateLimiter(RedisStorage(os.environ["REDIS_URL"], key_prefix="reference"))


def new_name() -> tuple[str, ...]:
    return ("participant", uuid4().hex)


def test_calls_are_allowed_and_reported_as_limits_does(counters, reference):
    name, item, began = new_name(), RateLimitItemPerMinute(LIMIT), time.time()

    for _ in range(LIMIT + 2):
        is_allowed, stats = counters.take(LIMIT, name)

        assert is_allowed == reference.hit(item, *name)
        expected = reference.get_window_stats(item, *name)
        assert stats.remaining == expected.remaining
        assert 58 < stats.reset_time - began <= 61


def test_several_counters_are_counted_together_each_by_its_own_calls(counters):
    within, at_the_limit, above = new_name(), new_name(), new_name()

    allowed = counters.take_many(LIMIT, {within: 1, at_the_limit: LIMIT, above: LIMIT + 1})

    assert allowed == {within: True, at_the_limit: True, above: False}
    assert [counters.take(LIMIT, name)[0] for name in (within, at_the_limit, above)] == [True, False, True]


def test_a_redis_that_was_restarted_gets_the_scripts_again(counters):
    name = new_name()
    counters.take(LIMIT, name)
    counters._storage.get_connection().script_flush()

    assert counters.take(LIMIT, name)[1].remaining == 1
    counters._storage.get_connection().script_flush()
    assert counters.take_many(LIMIT, {name: 1}) == {name: True}


def test_a_call_counts_once_if_redis_lacks_one_of_the_two_scripts(counters):
    counters._storage.get_connection().script_flush()
    counters.take_many(LIMIT, {new_name(): 1})  # loads only the script that counts

    assert counters.take(LIMIT, new_name())[1].remaining == LIMIT - 1


def test_a_redis_that_does_not_answer_is_a_storage_error():
    with pytest.raises(StorageError):
        RedisCounters("redis://127.0.0.1:1/0", timeout=0.2).take(LIMIT, new_name())


def test_memory_and_redis_allow_the_same_calls(counters):
    memory, name = Counters(), new_name()
    costs = {new_name(): cost for cost in range(1, 6)}

    assert [memory.take(LIMIT, name)[0] for _ in range(5)] == [counters.take(LIMIT, name)[0] for _ in range(5)]
    assert memory.take_many(LIMIT, costs) == counters.take_many(LIMIT, costs)
