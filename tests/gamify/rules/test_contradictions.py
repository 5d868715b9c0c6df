"""Only expressions that can never hold are reported."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamify.facts.engine.expressions import compile_expression
from gamify.facts.engine.tree import Comparison
from gamify.rules.engine.contradictions import is_impossible

pytestmark = pytest.mark.engine


def ask(field, operator, value):
    return {"condition": {"field": field, "operator": operator, "value": value}}


def both(*parts):
    return {"and": list(parts)}


A, B = ask("plan", "eq", "a"), ask("plan", "eq", "b")


@pytest.mark.parametrize(
    "expression",
    [
        both(A, B),
        both(A, ask("attrs.plan", "eq", "b")),
        both(A, {"not": A}),
        both(A, ask("plan", "ne", "a")),
        both(A, ask("plan", "exists", False)),
        both(A, ask("plan", "nin", ["a", "b"])),
        both(A, ask("plan", "in", ["b", "c"])),
        both(A, ask("plan", "contains", "b")),
        both(A, ask("plan", "gt", 1)),
        both(ask("n", "gte", 10), ask("n", "lt", 5)),
        both(ask("n", "gt", 10), ask("n", "lte", 10)),
        both(ask("n", "gte", 10), ask("n", "lte", 10), ask("n", "ne", 10)),
        both(ask("n", "gte", 10), ask("n", "lt", 11), ask("n", "in", [1, 11])),
        both(ask("t", "gt", "b"), ask("t", "lt", "a")),
        both(ask("flag", "eq", True), ask("flag", "eq", 1)),
        both(ask("x", "eq", None), ask("x", "exists", False)),
        both(ask("x", "exists", True), ask("x", "exists", False)),
        both(ask("tags", "contains", "a"), {"not": ask("tags", "contains", "a")}),
        both(ask("participant.plan", "eq", "a"), ask("participant.plan", "eq", "b")),
        {"or": [both(A, B), both(A, {"not": A})]},
        {"not": {"or": [A, {"not": A}]}},
        both(A, {"or": [B, ask("plan", "eq", "c")]}),
        both(A, {"not": both(A, ask("plan", "exists", True))}),
    ],
)
def test_impossible_expressions_are_found(expression):
    assert is_impossible(compile_expression(expression).root)


@pytest.mark.parametrize(
    "expression",
    [
        A,
        {"not": A},
        {"or": [A, B]},
        both(A, ask("participant.plan", "eq", "b")),
        both(A, ask("plan.name", "eq", "b")),
        both(ask("plan", "ne", "a"), ask("plan", "ne", "b")),
        both(ask("n", "gt", 1), ask("n", "lt", 2)),
        both(ask("n", "gte", 1), ask("n", "lte", 1)),
        both(ask("n", "gt", 9007199254740992), ask("n", "ne", 9007199254740993)),
        both(ask("n", "gt", 1e308), ask("n", "lt", 1.5e308)),
        both(ask("t", "gt", "a"), ask("t", "lt", "a!")),
        both(ask("t", "gt", "m"), ask("t", "contains", "a")),
        both(ask("t", "contains", "a"), ask("t", "contains", "b"), ask("t", "ne", "ab")),
        both(ask("tags", "contains", 1), ask("tags", "contains", "b")),
        both(ask("tags", "contains", "ab"), {"not": ask("tags", "contains", "a")}),
        both(ask("x", "nin", [1, "a", None, True]), ask("x", "exists", True)),
        both(ask("x", "ne", 1), ask("x", "exists", False)),
        both(A, {"or": [B, ask("sku", "eq", "x")]}),
        both(ask("x", "nin", list(range(100))), ask("x", "exists", True)),
    ],
)
def test_possible_expressions_are_not_reported(expression):
    assert not is_impossible(compile_expression(expression).root)


def test_known_facts_count_too():
    root = compile_expression(A).root

    assert is_impossible(root, Comparison("plan", "eq", "b"))
    assert not is_impossible(root, Comparison("plan", "eq", "a"))


values = st.sampled_from([None, True, False, 0, 1, 1.5, 2, "", "a", "ab", "b", [], ["a"], ["a", 1], {}])
scalars = st.sampled_from([None, True, False, 0, 1, 1.5, 2, "", "a", "ab", "b"])
numbers_or_texts = st.sampled_from([0, 1, 1.5, 2, "", "a", "ab", "b"])
fields = st.sampled_from(["x", "attrs.x", "y", "participant.x"])
conditions = st.one_of(
    st.builds(ask, fields, st.sampled_from(["eq", "ne", "contains"]), scalars),
    st.builds(ask, fields, st.sampled_from(["gt", "gte", "lt", "lte"]), numbers_or_texts),
    st.builds(ask, fields, st.sampled_from(["in", "nin"]), st.lists(scalars, min_size=1, max_size=3)),
    st.builds(ask, fields, st.just("exists"), st.booleans()),
)
expressions = st.recursive(
    conditions,
    lambda parts: st.one_of(
        st.builds(lambda found: {"and": found}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda found: {"or": found}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda found: {"not": found}, parts),
    ),
    max_leaves=8,
)
some = st.dictionaries(st.sampled_from(["x", "y"]), values)


@settings(max_examples=500)
@given(expressions, some, some)
def test_no_expression_that_can_hold_is_reported(expression, properties, attributes):
    compiled = compile_expression(expression)

    if compiled.matches(properties, attributes):
        assert not is_impossible(compiled.root)
