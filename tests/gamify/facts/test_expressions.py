import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamify.facts.engine.expressions import (
    MalformedExpression,
    compile_expression,
    compile_filter,
    expression_as_filter,
    expression_problem,
    filter_as_expression,
    filter_problem,
)

pytestmark = pytest.mark.engine


def condition(field="amount", operator="eq", value=1):
    return {"condition": {"field": field, "operator": operator, "value": value}}


def holds(document, properties, attributes=None):
    return compile_expression(document).matches(properties, attributes or {})


@pytest.mark.parametrize(
    ("operator", "wanted", "passing", "failing"),
    [
        ("eq", "pro", ["pro"], ["Pro", "", None, 1, True, ["pro"], {"pro": "pro"}]),
        ("eq", 1, [1, 1.0], ["1", True, 2, 1.5, None]),
        ("eq", 0.1, [0.1], [0, False]),
        ("eq", True, [True], [1, 1.0, "true", False]),
        ("eq", False, [False], [0, 0.0, "", None, []]),
        ("eq", None, [None], [0, False, "", []]),
        ("ne", 1, ["1", True, 2, None, [1]], [1, 1.0]),
        ("ne", True, [1, False], [True]),
        ("gt", 10, [11, 10.5], [10, 9, "11", True, None, [11]]),
        ("gte", 10, [10, 10.0, 11], [9.99, "10", None]),
        ("lt", 10, [9, -1.5], [10, "9", False, None]),
        ("lte", 1, [1, 0, -1], [2, True, False]),
        ("gt", "b", ["c", "ba"], ["b", "B", 5, None]),
        ("lte", "2026-02-14", ["2026-02-14", "2025-12-31"], ["2026-02-15", 2026]),
        ("in", ["a", 1, None], ["a", 1, 1.0, None], ["b", "1", True, False, ["a"], {"a": 1}]),
        ("in", [True], [True], [1, "true", False]),
        ("nin", ["a", 1], ["b", True, None, ["a"], {}], ["a", 1, 1.0]),
        ("nin", [False], [0, True], [False]),
        ("contains", "ro", ["pro", "ro", ["ro"]], ["or", "r", ["pro"], {"ro": 1}, None, 1]),
        ("contains", 1, [[1], [2, 1.0]], [[True], ["1"], [[1]], "1", 1, {"1": 1}]),
        ("contains", None, [[None]], [[], [0], None]),
        ("exists", True, [0, None, False, "", []], []),
        ("exists", False, [], [0, None, False]),
    ],
)
def test_the_values_that_operators_accept(operator, wanted, passing, failing):
    document = condition("x", operator, wanted)

    assert [value for value in passing if not holds(document, {"x": value})] == []
    assert [value for value in failing if holds(document, {"x": value})] == []


@pytest.mark.parametrize(
    ("operator", "wanted", "passes"),
    [
        ("eq", None, False),
        ("gt", 0, False),
        ("gte", "", False),
        ("lt", 0, False),
        ("lte", 0, False),
        ("in", [None], False),
        ("contains", "", False),
        ("exists", True, False),
        ("exists", False, True),
        ("ne", 1, True),
        ("nin", [1], True),
    ],
)
@pytest.mark.parametrize("field", ["x", "x.y", "attrs.x", "participant.x", "participant.x.y"])
def test_a_missing_field_fails_all_but_ne_nin_and_exists_false(field, operator, wanted, passes):
    assert holds(condition(field, operator, wanted), {}, {}) is passes


@pytest.mark.parametrize(
    ("field", "properties", "attributes", "found"),
    [
        ("x", {"x": 1}, {"x": 2}, 1),
        ("attrs.x", {"x": 1}, {"x": 2}, 1),
        ("participant.x", {"x": 1, "participant": {"x": 3}}, {"x": 2}, 2),
        ("attrs.participant.x", {"participant": {"x": 3}}, {}, 3),
        ("attrs", {"attrs": 4}, {}, 4),
        ("participant", {"participant": 5}, {}, 5),
        ("a.b.c", {"a": {"b": {"c": 6}}}, {}, 6),
        ("participant.a.b", {}, {"a": {"b": 7}}, 7),
        ("a.b", {"a.b": 8, "a": {"b": 9}}, {}, 8),
        ("attrs.a.b", {"a.b": 8}, {}, 8),
        ("participant.a.b", {}, {"a.b": 8}, 8),
        ("a.b.c", {"a.b": {"c": 2}}, {}, 2),
        ("a.b.c", {"a": {"b.c": 2}}, {}, 2),
        ("attrs.a.b.c", {"a.b": {"c": 2}}, {}, 2),
        ("participant.a.b.c", {}, {"a": {"b.c": 2}}, 2),
        ("a.b.c.d", {"a.b": {"c.d": 2}}, {}, 2),
        ("a.b.c.d", {"a": {"b.c": {"d": 2}}}, {}, 2),
        ("a.b.c", {"a.b": {"c": 1}, "a": {"b.c": 2, "b": {"c": 3}}}, {}, 1),
        ("a.b.c", {"a": {"b.c": 2, "b": {"c": 3}}}, {}, 2),
        ("a.b.c", {"a.b.c": None, "a.b": {"c": 1}}, {}, None),
    ],
)
def test_a_path_finds_its_value(field, properties, attributes, found):
    assert holds(condition(field, "eq", found), properties, attributes)


@pytest.mark.parametrize(
    ("field", "properties"),
    [
        ("a.b", {"a": 1}),
        ("a.b", {"a": None}),
        ("a.0", {"a": [1]}),
        ("a.b", {"a": [{"b": 1}]}),
        ("a.b.c", {"a.b": 1, "a": {"b": {"c": 2}}}),
        ("a.b.c", {"a": {"b.c.d": 1}}),
        ("a.b.c", {"a.b": ["c"]}),
        ("a.__class__", {"a": "text"}),
        ("__class__", {}),
        ("a.items", {"a": {}}),
    ],
)
def test_a_path_follows_the_keys_of_objects_only(field, properties):
    assert holds(condition(field, "exists", False), properties)


def test_and_or_and_not():
    small, pro = condition("amount", "lt", 10), condition("plan", "eq", "pro")
    event = {"amount": 5, "plan": "free"}

    assert not holds({"and": [small, pro]}, event)
    assert holds({"or": [pro, small]}, event)
    assert holds({"not": {"and": [small, pro]}}, event)
    assert holds({"and": [small]}, event)
    assert not holds({"or": [pro]}, event)


def test_the_specs_expression_leaves_the_tutorial_out():
    document = {"condition": {"field": "attrs.game_mode", "operator": "ne", "value": "tutorial"}}

    assert holds(document, {"game_mode": "ranked", "points": 10})
    assert holds(document, {"points": 10})
    assert not holds(document, {"game_mode": "tutorial"})


@pytest.mark.parametrize(
    ("properties", "matches"),
    [
        ({"plan": "pro", "amount": 10, "sku": "a"}, True),
        ({"plan": "pro", "amount": 9.99, "sku": "a"}, False),
        ({"plan": "free", "amount": 10, "sku": "a"}, False),
        ({"plan": "pro", "amount": 10}, False),
        ({"plan": "pro", "amount": 101, "sku": "b"}, False),
    ],
)
def test_all_conditions_of_a_filter_must_hold(properties, matches):
    short = {"plan": "pro", "amount": {"gte": 10, "lte": 100}, "sku": {"in": ["a", "b"]}}

    assert compile_filter(short).matches(properties, {}) is matches


def test_an_empty_filter_matches_everything_and_has_no_expression():
    assert compile_filter({}).matches({}, {})
    assert filter_as_expression({}) is None


# --- against a naive interpreter, which reads the document for every event ----------------------------------------


def naive(document, properties, attributes):
    [(kind, body)] = document.items()
    if kind == "and":
        return all(naive(part, properties, attributes) for part in body)
    if kind == "or":
        return any(naive(part, properties, attributes) for part in body)
    if kind == "not":
        return not naive(body, properties, attributes)
    found = naive_lookup(body["field"], properties, attributes)
    operator, wanted = body["operator"], body["value"]
    if operator == "exists":
        return bool(found) is wanted
    if operator in ("ne", "nin"):
        return not found or not naive_test({"ne": "eq", "nin": "in"}[operator], found[0], wanted)
    return bool(found) and naive_test(operator, found[0], wanted)


def naive_lookup(field, properties, attributes):
    """[value], or [] where there is none."""
    source, name = properties, field
    if field.startswith("participant."):
        source, name = attributes, field[len("participant.") :]
    elif field.startswith("attrs."):
        name = field[len("attrs.") :]
    return naive_walk(source, name.split("."))


def naive_walk(source, parts):
    if not parts:
        return [source]
    if not isinstance(source, dict):
        return []
    for end in range(len(parts), 0, -1):
        if (name := ".".join(parts[:end])) in source:
            return naive_walk(source[name], parts[end:])
    return []


def kind_of(value):
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else type(value).__name__


def same(one, other):
    return kind_of(one) == kind_of(other) and one == other


def naive_test(operator, actual, wanted):
    if operator == "eq":
        return same(actual, wanted)
    if operator == "in":
        return any(same(actual, value) for value in wanted)
    if operator == "contains":
        if isinstance(actual, list):
            return any(same(item, wanted) for item in actual)
        return isinstance(actual, str) and isinstance(wanted, str) and actual.find(wanted) >= 0
    if kind_of(actual) != kind_of(wanted) or kind_of(wanted) not in ("number", "str"):
        return False
    order = (actual > wanted) - (actual < wanted)
    return {"gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0}[operator]


names = st.sampled_from(["a", "b", "a.b", "attrs.a", "attrs.b.a", "a.b.a", "a.b.a.b"])
fields = names | st.sampled_from(["participant.a", "participant.a.b", "participant.b"])
numbers = st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 0.5, 1e308]) | st.just(2**63 - 1)
texts = st.sampled_from(["", "a", "ab", "b", "1"])
scalars = numbers | texts | st.booleans() | st.none()
lists = st.lists(scalars, min_size=1, max_size=4)
tests = st.one_of(
    st.tuples(st.sampled_from(["eq", "ne", "contains"]), scalars),
    st.tuples(st.sampled_from(["gt", "gte", "lt", "lte"]), numbers | texts),
    st.tuples(st.sampled_from(["in", "nin"]), lists),
    st.tuples(st.just("exists"), st.booleans()),
)
conditions = st.builds(lambda field, question: condition(field, *question), fields, tests)
documents = st.recursive(
    conditions,
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda found: {"and": found}),
        st.lists(parts, min_size=1, max_size=3).map(lambda found: {"or": found}),
        parts.map(lambda found: {"not": found}),
    ),
    max_leaves=8,
).filter(lambda document: expression_problem(document) is None)
filters = st.dictionaries(names, scalars | st.lists(tests, min_size=1, max_size=3).map(dict), max_size=4)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "a.b"]), inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from(["a", "b", "a.b", "b.a"]), values, max_size=4)


@given(documents, objects, objects)
def test_compiled_expressions_agree_with_a_naive_interpreter(document, properties, attributes):
    assert compile_expression(document).matches(properties, attributes) is naive(document, properties, attributes)


@given(filters, objects)
def test_the_short_and_the_long_form_agree(short, properties):
    long = filter_as_expression(short)

    agreed = True if long is None else compile_expression(long).matches(properties, {})
    assert compile_filter(short).matches(properties, {}) is agreed


@given(filters.filter(bool))
def test_a_filter_survives_the_conversion_to_an_expression_and_back(short):
    back = expression_as_filter(filter_as_expression(short))

    assert back is not None
    assert filter_as_expression(back) == filter_as_expression(short)


@given(documents, objects)
def test_an_expression_and_its_short_form_agree(document, properties):
    short = expression_as_filter(document)

    if short is not None:
        assert compile_filter(short).matches(properties, {}) is naive(document, properties, {})


@pytest.mark.parametrize(
    ("long", "short"),
    [
        (condition("plan", "eq", "pro"), {"plan": "pro"}),
        (condition("amount", "gte", 10), {"amount": {"gte": 10}}),
        ({"and": [condition("a", "gte", 1), condition("b", "eq", 2)]}, {"a": {"gte": 1}, "b": 2}),
        ({"and": [condition("a", "gte", 1), condition("a", "lt", 5)]}, {"a": {"gte": 1, "lt": 5}}),
        ({"and": [condition("a", "eq", 1), condition("a", "ne", 5)]}, {"a": {"eq": 1, "ne": 5}}),
        ({"and": [condition("attrs.a", "eq", 1)]}, {"attrs.a": 1}),
        ({"and": [condition("a", "gte", 1), condition("a", "gte", 2)]}, None),
        ({"or": [condition()]}, None),
        ({"not": condition()}, None),
        ({"and": [condition(), {"and": [condition("b")]}]}, None),
        (condition("participant.plan"), None),
        ({"and": [condition(), condition("participant.plan")]}, None),
    ],
)
def test_the_expressions_that_have_a_short_form(long, short):
    assert expression_as_filter(long) == short


# --- refusals -----------------------------------------------------------------------------------------------------------


def nested(depth, document=None):
    document = document or condition()
    for _ in range(depth):
        document = {"not": document}
    return document


OPERATORS_SAID = "eq, ne, gt, gte, lt, lte, in, nin, contains, exists"
UNKNOWN_REGEX = f"unknown operator 'regex'; known here: {OPERATORS_SAID}"
TOO_MANY = {"and": [condition()] * 64}
HOSTILE = [
    *[None, 1, "x", True, [], [condition()], {}, {"xor": []}, {"and": [condition()], "or": [condition()]}],
    *[{"condition": body} for body in (None, [], "x", {}, {"field": "a"}, {"field": "a", "operator": "eq"})],
    {"condition": {"field": "a", "operator": "eq", "value": 1, "flags": "i"}},
    {**condition(), "comment": "x"},
    *[condition(field) for field in (None, 1, True, [], {}, "", ".", "a.", ".a", "a..b", "participant.", "attrs.")],
    *[condition(field) for field in ("x" * 201, "a.b.c.d.e.f.g.h.i", "." * 150, "a." * 90 + "a")],
    *[
        condition(operator=operator)
        for operator in (None, 1, [], {}, "", "regex", "EQ", "$gt", "__eq__", "=", "x" * 9999)
    ],
    *[condition(operator="eq", value=value) for value in ([], {}, [1], {"a": 1}, [[]])],
    *[condition(operator="gt", value=value) for value in (None, True, [], {}, [1])],
    *[condition(operator="lte", value=value) for value in (None, False, {"gt": 1})],
    *[condition(operator="in", value=value) for value in (None, 1, "abc", {}, [], [[]], [{}], [1, [2]], [1] * 101)],
    *[condition(operator="nin", value=value) for value in (None, "a", [], [1] * 100_000)],
    *[condition(operator="contains", value=value) for value in ([], {}, ["a"])],
    *[condition(operator="exists", value=value) for value in (None, 0, 1, "true", [], {})],
    *[{kind: body} for kind in ("and", "or") for body in (None, [], {}, "x", 1, [1], [None], [[]], condition())],
    *[{"not": body} for body in (None, [], [condition()], {}, "x")],
    *[nested(8), nested(31), nested(500), {"and": [nested(7)]}, {"or": [nested(30)]}],
    *[TOO_MANY, {"or": [condition()] * 100_000}, {"and": [{"or": [condition()] * 7}] * 8}],
]


def test_there_are_at_least_a_hundred_of_them():
    assert len(HOSTILE) >= 100


@pytest.mark.parametrize("document", HOSTILE)
def test_hostile_documents_are_refused(document):
    problem = expression_problem(document)

    assert problem is not None
    assert len(problem.field) + len(problem.message) < 400
    with pytest.raises(MalformedExpression):
        compile_expression(document)


@pytest.mark.parametrize(
    "document", [nested(7), {"and": [condition()] * 63}, condition("x" * 200), condition("a.b.c.d.e.f.g.h")]
)
def test_documents_at_the_limits_are_accepted(document):
    assert expression_problem(document) is None


def test_a_list_may_have_a_hundred_values():
    assert expression_problem(condition(operator="in", value=list(range(100)))) is None


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ({"or": [condition(), condition(operator="regex")]}, "or.1.condition.operator", UNKNOWN_REGEX),
        (condition(operator="gte "), "condition.operator", "unknown operator 'gte '; did you mean gte?"),
        ({"and": [{"not": condition("")}]}, "and.0.not.condition.field", "must be the dotted path of a property"),
        (condition(operator="gt", value=None), "condition.value", "must be a number or text"),
        ({"and": []}, "and", "must be a list of at least one expression"),
        ({}, "", "must be an object with exactly one of: condition, and, or, not"),
        ({"xor": []}, "xor", "is not a known key; did you mean or?"),
        ({"not": {"conditon": {}}}, "not.conditon", "is not a known key; did you mean condition?"),
        (condition()["condition"], "field", "is not a known key; known here: condition, and, or, not"),
        ({**condition(), "comment": "x"}, "comment", "is not a known key; known here: condition, and, or, not"),
        ({"condition": {"feild": "a"}}, "condition.feild", "is not a known key; did you mean field?"),
        ({"not": {"condition": {}}}, "not.condition", "must be an object with: field, operator, value"),
        (
            condition(operator="in", value=[[]]),
            "condition.value",
            "each value must be text, a number, true, false or null",
        ),
    ],
)
def test_a_problem_names_its_place(document, path, message):
    problem = expression_problem(document)

    assert (problem.field, problem.message) == (path, message)


@pytest.mark.parametrize(
    ("document", "path", "message"),
    [
        ([], "", "must be an object of properties and their expected values"),
        ({"plan": {"regex": "x"}}, "plan.regex", UNKNOWN_REGEX),
        (
            {"plan": {"equals": "x", "eq": "y"}},
            "plan.equals",
            "unknown operator 'equals'; known here: " + OPERATORS_SAID,
        ),
        ({"amount": {"GTE": 5}}, "amount.GTE", "unknown operator 'GTE'; did you mean gte?"),
        ({"amount": {"gte": None}}, "amount.gte", "must be a number or text"),
        ({"amount": {}}, "amount", "must name an operator and its value"),
        ({"tags": ["a"]}, "tags", "must be text, a number, true, false or null"),
        ({"": 1}, "", "must be the dotted path of a property"),
        ({"x" * 201: 1}, "x" * 40, "must not be longer than 200 characters"),
        (
            {"participant.plan": "pro"},
            "participant.plan",
            "a filter tests properties of the event only; to test this one, write attrs.participant.plan",
        ),
        ({f"p{number}": 1 for number in range(65)}, "p64", "must not have more than 64 parts"),
        ({"a": {"in": [1] * 101}}, "a.in", "must be a list of 1 to 100 values"),
    ],
)
def test_a_filters_problem_names_its_place(document, path, message):
    problem = filter_problem(document)

    assert (problem.field, problem.message) == (path, message)
    with pytest.raises(MalformedExpression):
        compile_filter(document)
