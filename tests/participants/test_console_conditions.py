"""The editor of filters converts rows to the short form of an expression. No database."""

import json

import pytest
from django import forms
from django.http import QueryDict

from participants.admin.attributes import FIXED
from participants.admin.conditions import Condition, ConditionsField, ConditionsWidget, conditions_of

pytestmark = pytest.mark.engine


def submitted(shown: dict, *rows: Condition):
    data = QueryDict(mutable=True)
    data["f-shown"] = json.dumps(shown)
    for column in ("field", "operator", "kind", "value"):
        data.setlist(f"f-{column}", [getattr(row, column) for row in rows])
    return ConditionsWidget().value_from_datadict(data, {}, "f")


def said(*rows: Condition, shown: dict | None = None):
    return ConditionsField().clean(submitted(shown or {}, *rows))


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ({"plan": "pro"}, [Condition("plan", "eq", "text", "pro")]),
        ({"beta": True, "old": False}, [Condition("beta", "eq", "yes"), Condition("old", "eq", "no")]),
        (
            {"n": {"gte": 10, "lt": 20.5}},
            [Condition("n", "gte", "number", "10"), Condition("n", "lt", "number", "20.5")],
        ),
        ({"sku": {"in": ["a", "b c"]}}, [Condition("sku", "in", "text", "a, b c")]),
        ({"n": {"nin": [1, 2]}}, [Condition("n", "nin", "number", "1, 2")]),
        ({"coupon": {"exists": True}}, [Condition("coupon", "present")]),
        ({"coupon": {"exists": False}}, [Condition("coupon", "missing")]),
        ({"tags": {"contains": "new"}}, [Condition("tags", "contains", "text", "new")]),
    ],
)
def test_rows_and_filter_convert_both_ways(wanted, rows):
    assert conditions_of(wanted) == rows
    assert said(*rows) == wanted


@pytest.mark.parametrize(
    "value", [None, [1], {}, {"x": 1}, {"eq": None}, {"in": []}, {"in": ["a,b"]}, {"in": ["a", 1]}, {"exists": "yes"}]
)
def test_a_condition_that_no_row_can_express_becomes_a_fixed_row(value):
    (row,) = conditions_of({"a": value})

    assert row.is_fixed
    assert said(row, shown={"a": value}) == {"a": value}


def test_no_rows_are_no_filter():
    assert said() is None
    assert said(Condition()) is None


def test_an_unedited_field_has_not_changed():
    shown = {"a": {"eq": 1}, "b": {"in": ["x"]}, "c": None}
    field = ConditionsField()

    assert not field.has_changed(shown, submitted(shown, *conditions_of(shown)))
    assert field.has_changed(shown, submitted(shown, *conditions_of(shown)[1:]))
    assert field.has_changed(shown, submitted(shown, Condition("", "eq", "text", "x")))
    assert field.has_changed({"a": 1}, submitted({"a": 1}, Condition("a", "eq", "yes")))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([Condition("", "eq", "text", "gold")], "The value “gold” needs a property."),
        ([Condition("a", "eq", "text", "1"), Condition("a", "eq", "text", "2")], "“a” appears twice."),
        ([Condition("a", FIXED, FIXED), Condition("a", "eq")], "“a” appears twice."),
        ([Condition("a", "present"), Condition("a", "missing")], "“a” appears twice."),
        ([Condition("a", "in", "text", " , ")], "“a”: give the values, separated by commas."),
        ([Condition("a", "in", "yes", "1")], "“a”: give the values, separated by commas."),
        ([Condition("a", "in", "number", "1, x")], "“a”: “x” is not a number."),
        ([Condition("a", "like", "text", "x")], "“a”: “like” is not an operator."),
        ([Condition("gone", FIXED, FIXED)], "“gone” no longer exists; load the page again."),
    ],
)
def test_invalid_rows_are_refused_with_a_message(rows, message):
    with pytest.raises(forms.ValidationError) as refused:
        said(*rows, shown={"a": None})

    assert refused.value.messages == [message]
