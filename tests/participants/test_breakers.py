"""The circuit breaker of Redis."""

from types import SimpleNamespace

import pytest
from redis.exceptions import TimeoutError as RedisTimeout

from participants import breakers
from participants.breakers import PAUSE_SECONDS, Breaker, Open


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(breakers.time, "monotonic", lambda: clock.now)
    return clock


def silent():
    raise RedisTimeout("no answer")


def test_after_a_failure_nothing_is_called_until_the_pause_is_over(clock):
    breaker = Breaker()
    assert breaker.call(silent, purpose="a") is None

    clock.now += PAUSE_SECONDS - 0.1
    with pytest.raises(Open):
        breaker.call_or_raise(lambda: "b", purpose="b")

    clock.now += 0.2
    assert breaker.call(lambda: "b", purpose="b") == "b"
    assert breaker.call(lambda: "c", purpose="c") == "c"


def test_only_one_call_tries_again(clock):
    breaker = Breaker()
    breaker.call(silent, purpose="a")
    clock.now += PAUSE_SECONDS
    inner = []

    def try_again():
        inner.append(breaker.call(lambda: "served", purpose="b"))
        silent()

    assert breaker.call(try_again, purpose="a") is None
    assert inner == [None]
    assert breaker.failures == {"TimeoutError": 2}


def test_other_errors_are_raised_and_do_not_open_it():
    breaker = Breaker()

    with pytest.raises(ZeroDivisionError):
        breaker.call(lambda: 1 / 0, purpose="a")

    assert breaker.call(lambda: "served", purpose="a") == "served"
