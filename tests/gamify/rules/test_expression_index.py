"""The index finds every expression that matches."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.facts.engine.expressions import compile_expression
from gamify.rules.engine.expression_index import ExpressionIndex

pytestmark = pytest.mark.engine

SCALARS = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.5, 1.0, -0.0, "", "1", "a", "b"])
COMPARABLE = st.integers(-2, 2) | st.sampled_from([0.5, 1.0, "", "1", "a"])
FIELDS = st.sampled_from(["amount", "sku", "order.total", "order.total.x", "attrs.amount", "participant.plan"])
ANYTHING = (
    SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(["total", "x", "total.x"]), SCALARS)
)


def condition(operators, values):
    created = {"field": FIELDS, "operator": st.sampled_from(operators), "value": values}
    return st.fixed_dictionaries(created).map(lambda documents: {"condition": documents})


CONDITIONS = st.one_of(
    condition(["eq", "ne", "contains"], SCALARS),
    condition(["gt", "gte", "lt", "lte"], COMPARABLE),
    condition(["in", "nin"], st.lists(SCALARS, min_size=1, max_size=3)),
    condition(["exists"], st.booleans()),
)
EXPRESSIONS = st.recursive(
    CONDITIONS,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda each: {"and": each}),
        st.lists(parts, min_size=1, max_size=3).map(lambda each: {"or": each}),
        parts.map(lambda each: {"not": each}),
    ),
    max_leaves=4,
)
PROPERTIES = st.dictionaries(st.sampled_from(["amount", "sku", "order", "order.total", "order.total.x"]), ANYTHING)


@settings(max_examples=500, deadline=None)
@given(documents=st.lists(st.none() | EXPRESSIONS, max_size=8), properties=PROPERTIES, plan=SCALARS)
def test_matching_expressions_are_always_found_and_in_order(documents, properties, plan):
    rules = [None if each is None else compile_expression(each) for each in documents]
    matching = [place for place, rule in enumerate(rules) if rule is None or rule.matches(properties, {"plan": plan})]

    found = ExpressionIndex([None if rule is None else rule.root for rule in rules]).places(properties)

    assert found == sorted(set(found))
    assert set(matching) <= set(found)


def found(properties, *documents):
    roots = [
        compile_expression({"condition": dict(zip(("field", "operator", "value"), each, strict=True))}).root
        for each in documents
    ]
    return ExpressionIndex(roots).places(properties)


@pytest.mark.parametrize(
    ("value", "places"),
    [(5, [0, 1, 3]), (5.0, [0, 1, 3]), (4, [3]), (9, [1, 2]), ("5", [4]), (True, []), (None, []), ([5], []), ({}, [])],
)
def test_only_expressions_that_may_match_are_found(value, places):
    documents = [
        ("amount", "eq", 5),
        ("amount", "gte", 5),
        ("amount", "gt", 8),
        ("amount", "lt", 6),
        ("amount", "in", ["5", "6"]),
    ]

    assert found({"amount": value}, *documents) == places


def test_a_missing_property_finds_only_expressions_that_do_not_need_it():
    documents = [("amount", "eq", 5), ("amount", "ne", 5), ("amount", "exists", False), ("sku", "eq", "a")]

    assert found({}, *documents) == [1, 2]


def test_none_of_five_hundred_rules_for_other_values_is_evaluated():
    assert found({"sku": "mug"}, *[("sku", "eq", f"sku_{number}") for number in range(500)]) == []
