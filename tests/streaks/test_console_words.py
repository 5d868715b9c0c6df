"""Descriptions of streaks in words."""

import pytest

from gamify.facts.admin.words import expression_in_words
from participants.errors import FieldError
from streaks.admin.words import (
    complete_message,
    condition_of,
    grace_of,
    period_of,
    reach_line,
    reach_lines,
)
from streaks.models import Streak
from streaks.selectors import Reach


def asks(field, operator, value):
    return {"condition": {"field": field, "operator": operator, "value": value}}


PRO, BIG, RARE = asks("plan", "eq", "pro"), asks("amount", "gte", 10), asks("sku", "nin", ["a", 1])


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (PRO, "plan is “pro”"),
        ({"and": [PRO, BIG]}, "plan is “pro” and amount is at least 10"),
        ({"or": [PRO, {"and": [BIG, RARE]}]}, "plan is “pro” or (amount is at least 10 and sku is none of “a”, 1)"),
        ({"not": {"or": [PRO, BIG]}}, "not (plan is “pro” or amount is at least 10)"),
        ({"and": [{"not": PRO}]}, "not (plan is “pro”)"),
        (asks("participant.plan", "exists", True), "participant.plan is there"),
        (asks("coupon", "exists", False), "coupon is missing"),
        (asks("vip", "ne", True), "vip is not yes"),
    ],
)
def test_an_expression_is_described_in_words(expression, words):
    assert expression_in_words(expression) == words


@pytest.mark.parametrize(
    ("fields", "period", "condition", "grace"),
    [
        ({}, "daily", "any event", "0"),
        ({"period": "rolling", "duration_seconds": 5400}, "rolling, 90 minutes", "any event", "0"),
        ({"condition": {"type": "count", "min": 1500}}, "daily", "1,500 events", "0"),
        ({"condition": {"type": "sum", "field": "amount", "min": 2.5}}, "daily", "amount adds up to 2.5", "0"),
        ({"condition": {"type": "distinct", "field": "sku", "min": 3}}, "daily", "3 different sku", "0"),
        ({"grace_periods": 2}, "daily", "any event", "2"),
        ({"grace_periods": 2, "reset_on_miss": False}, "daily", "any event", "never resets"),
    ],
)
def test_the_list_describes_conditions(fields, period, condition, grace):
    streak = Streak(**fields)

    assert (period_of(streak), condition_of(streak), grace_of(streak)) == (period, condition, grace)


@pytest.mark.parametrize(
    ("field", "message", "expected"),
    [
        ("event_types", "cannot be empty", "Events cannot be empty."),
        ("event_types.1", "must not contain commas", "No. 2 must not contain commas."),
        ("milestones.0.threshold", "must be positive", "No. 1: the length must be positive."),
        ("window.reset_time", "must be a time such as 04:00", "Events must be a time such as 04:00."),
        ("grace_periods", "Ensure this value is fine.", "Ensure this value is fine."),
        ("fact_filter", "amount: must be a number", "amount: must be a number"),
    ],
)
def test_a_partial_message_gets_its_subject(field, message, expected):
    assert complete_message(FieldError(field, message), "Events") == expected


def test_affected_participants_are_described_in_readable_numbers():
    assert list(reach_lines(Reach(0, 0, 0))) == ["No participant has it yet."]
    assert list(reach_lines(Reach(1, 1, 1))) == ["1 participant has it.", "1 run is alive; at risk now: 1."]
    assert next(iter(reach_lines(Reach(1234, 1000, 0)))) == "1,234 participants have it."
    assert reach_line("Login", Reach(1, 0, 0)) == "Login: 1 participant, 0 runs alive, 0 at risk now."
