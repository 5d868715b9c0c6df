"""How many points a grant is, and which grants a definition may name."""

import pytest

from gamify.points.engine import MAX_AWARD, NoPointsToGrant, grant_problem, granted_amount

pytestmark = pytest.mark.engine

BY_AMOUNT = {"type": "points", "field": "amount"}


@pytest.mark.parametrize(
    ("spec", "amount", "points"),
    [
        ({"amount": 10}, None, 10),
        (BY_AMOUNT, 49.99, 49),
        (BY_AMOUNT | {"rounding": "round"}, 49.5, 50),
        (BY_AMOUNT | {"rounding": "round"}, 49.49, 49),
        (BY_AMOUNT | {"rounding": "ceil"}, 49.01, 50),
        (BY_AMOUNT | {"factor": 1.5}, 10, 15),
        (BY_AMOUNT | {"factor": 100}, 0.29, 29),  # in binary, 28.999999999999996
        (BY_AMOUNT | {"factor": 3}, 0.1, None),
        (BY_AMOUNT | {"factor": 0.1, "rounding": "ceil"}, 30, 3),  # in binary, 3.0000000000000004
        (BY_AMOUNT | {"max": 500}, 501, 500),
        (BY_AMOUNT | {"max": None}, 501, 501),
        (BY_AMOUNT, 10**12, MAX_AWARD),
        (BY_AMOUNT | {"factor": MAX_AWARD}, 1e300, MAX_AWARD),
        (BY_AMOUNT, 0.99, None),
        (BY_AMOUNT, -5, None),
        (BY_AMOUNT, "50", None),
        (BY_AMOUNT, True, None),
        (BY_AMOUNT, [50], None),
        ({"field": "missing"}, 50, None),
    ],
)
def test_points_of_a_grant(spec, amount, points):
    if points is None:
        with pytest.raises(NoPointsToGrant):
            granted_amount(spec, {"amount": amount}, {})
    else:
        assert granted_amount(spec, {"amount": amount}, {}).points == points


def test_a_grant_may_use_an_attribute_of_the_participant():
    assert granted_amount({"field": "participant.bonus"}, {}, {"bonus": 7}).points == 7


@pytest.mark.parametrize(
    ("spec", "at"),
    [
        ({"amount": 1}, None),
        ({"amount": MAX_AWARD}, None),
        ({"field": "attrs.order.total", "factor": 0.5, "rounding": "ceil", "max": 1}, None),
        ({}, "amount"),
        ({"amount": 5, "field": "amount"}, "amount"),
        ({"amount": 0}, "amount"),
        ({"amount": MAX_AWARD + 1}, "amount"),
        ({"amount": 1.0}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": "5"}, "amount"),
        ({"amount": None}, "amount"),
        ({"field": ""}, "field"),
        ({"field": None}, "field"),
        ({"field": "a..b"}, "field"),
        ({"field": "a", "factor": 0}, "factor"),
        ({"field": "a", "factor": "2"}, "factor"),
        ({"field": "a", "factor": 1e9}, "factor"),
        ({"field": "a", "factor": None}, "factor"),
        ({"field": "a", "rounding": "up"}, "rounding"),
        ({"field": "a", "rounding": ["floor"]}, "rounding"),
        ({"field": "a", "max": 0}, "max"),
        ({"field": "a", "max": 1.5}, "max"),
    ],
)
def test_what_a_definition_may_grant(spec, at):
    problem = grant_problem(spec)

    assert (problem and problem.field) == at
