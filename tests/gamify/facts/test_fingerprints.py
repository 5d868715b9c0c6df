"""Which events without a key are the same."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamify.facts.engine.fingerprints import fingerprint

pytestmark = pytest.mark.engine

AT = datetime(2026, 2, 14, 10, tzinfo=UTC)


def same(one, other):
    return fingerprint("buy", AT, one) == fingerprint("buy", AT, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}),
        ({"a": {"b": [1, {"c": -2}]}}, {"a": {"b": [1.0, {"c": -2.0}]}}),
        ({"a": 0}, {"a": -0.0}),
        ({"a": 0.5}, {"a": 0.50}),
        ({"a": 1e3}, {"a": 1000}),
        ({"a": 1.2345678901234568e18}, {"a": 1234567890123456800}),
    ],
)
def test_numbers_are_compared_by_value_and_keys_have_no_order(one, other):
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": 0}, {"a": False}),
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": 1.5}),
        ({"a": None}, {}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": "x"}, {"a": "x "}),
        ({"a": 9007199254740993}, {"a": 9007199254740992.0}),
    ],
)
def test_every_other_difference_makes_another_event(one, other):
    assert not same(one, other)


def test_the_instant_counts_and_not_its_zone():
    plus_two = AT.astimezone(timezone(timedelta(hours=2)))

    assert fingerprint("buy", plus_two, {}) == fingerprint("buy", AT, {})
    assert fingerprint("buy", AT + timedelta(microseconds=1), {}) != fingerprint("buy", AT, {})
    assert fingerprint("sell", AT, {}) != fingerprint("buy", AT, {})


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_the_one_that_json_shows(number):
    assert same({"a": number}, {"a": float(repr(number))})
