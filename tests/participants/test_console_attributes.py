"""The attributes editor converts rows to a merge patch. No database."""

import json

import pytest
from django import forms
from django.http import QueryDict

from participants.admin.attributes import AttributesField, AttributesWidget, Row, row_of

pytestmark = pytest.mark.engine

ATTRIBUTES = {
    "plan": "gold",
    "level": 7,
    "score": 1.5,
    "beta": True,
    "old": False,
    "address": {"city": "Rome"},
    "none": None,
}


def submitted(shown: dict, *rows: Row):
    """Return what the browser sends for `rows` in a form that showed `shown`."""
    data = QueryDict(mutable=True)
    data["a-shown"] = json.dumps(shown)
    for column in ("key", "kind", "value"):
        data.setlist(f"a-{column}", [getattr(row, column) for row in rows])
    return AttributesWidget().value_from_datadict(data, {}, "a")


def patch(shown: dict, *rows: Row) -> dict:
    return AttributesField().clean(submitted(shown, *rows))


def rows_of(attributes: dict) -> list[Row]:
    return [row_of(key, value) for key, value in attributes.items()]


def test_a_form_sent_back_as_it_was_changes_nothing():
    assert patch(ATTRIBUTES, *rows_of(ATTRIBUTES), Row()) == {}


@pytest.mark.parametrize(
    ("row", "value"),
    [
        (Row("plan", "text", "silver"), "silver"),
        (Row("plan", "text", ""), ""),
        (Row("plan", "number", " 12 "), 12),
        (Row("plan", "number", "-0.5"), -0.5),
        (Row("plan", "yes"), True),
        (Row("plan", "no", "ignored"), False),
    ],
)
def test_an_edited_row_is_the_whole_patch(row, value):
    others = [other for other in rows_of(ATTRIBUTES) if other.key != "plan"]

    assert patch(ATTRIBUTES, row, *others) == {"plan": value}


def test_a_number_is_not_the_flag_it_equals_in_python():
    assert patch({"beta": True}, Row("beta", "number", "1")) == {"beta": 1}


def test_a_removed_row_is_removed():
    assert patch(ATTRIBUTES, *rows_of(ATTRIBUTES)[1:]) == {"plan": None}


def test_a_renamed_row_is_removed_and_added():
    assert patch({"plan": "gold"}, Row("tariff", "text", "gold")) == {"plan": None, "tariff": "gold"}


def test_an_attribute_added_meanwhile_is_not_in_the_patch():
    assert patch({"plan": "gold"}, Row("plan", "text", "silver")) == {"plan": "silver"}


@pytest.mark.parametrize("value", [{"deep": [1]}, [1, 2], None, "two\nlines"])
def test_structured_values_become_fixed_rows(value):
    assert row_of("address", value).is_fixed
    assert patch({"address": value}, row_of("address", value)) == {}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([Row("", "text", "gold")], "The value “gold” needs a name."),
        ([Row("a", "text", "1"), Row("a", "text", "2")], "“a” appears twice."),
        ([Row("a", "number", "many")], "“a”: “many” is not a number."),
        ([Row("a", "number", "nan")], "“a”: “nan” is not a number."),
        ([Row("a", "number", "1e999")], "“a”: “1e999” is not a number."),
        ([Row("a", "number", "9999999999999999999")], "“a”: “9999999999999999999” is not a number."),
        ([Row("a", "text", "x\0")], "“a” must not contain control characters."),
        ([Row("a", "fixed", "{}")], "“a” no longer exists; load the page again."),
        ([Row("a", "text", "x" * 16_384)], "Must not exceed 16384 bytes as JSON."),
    ],
)
def test_invalid_attributes_are_refused_with_a_message(rows, message):
    with pytest.raises(forms.ValidationError) as refused:
        patch({}, *rows)

    assert refused.value.messages == [message]


def test_rows_that_were_refused_are_shown_again():
    context = AttributesWidget().get_context("a", submitted({"x": 1}, Row("a", "number", "many")), {})

    assert context["widget"]["rows"] == [Row("a", "number", "many"), Row()]
    assert json.loads(context["widget"]["shown"]) == {"x": 1}


@pytest.mark.parametrize("shown", ["", "[]", "{", "[" * 100_000])
def test_a_forged_original_counts_as_empty(shown):
    data = QueryDict(mutable=True)
    data["a-shown"] = shown

    assert AttributesField().clean(AttributesWidget().value_from_datadict(data, {}, "a")) == {}
