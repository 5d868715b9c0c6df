"""The editor of a filter on event properties (the short form of docs/contract.md §11): rows of property, operator, kind and value.

`{"plan": "pro", "amount": {"gte": 10}}` is shown as two rows. A condition that a row cannot express can be removed, but not edited.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from participants.admin.attributes import FIXED, KINDS, NO, NUMBER, TEXT, YES, Row, row_of, value_of
from participants.admin.rows import RowsWidget, SubmittedRows
from participants.admin.shown import ShownValueField
from participants.admin.words import list_of, value_in_words

PRESENT, MISSING = "present", "missing"
OPERATORS = {
    "eq": "is",
    "ne": "is not",
    "gte": "is at least",
    "gt": "is more than",
    "lte": "is at most",
    "lt": "is less than",
    "in": "is one of",
    "nin": "is none of",
    "contains": "contains",
    PRESENT: "is there",
    MISSING: "is missing",
}
LISTS = ("in", "nin")
EXISTENCE = {PRESENT: True, MISSING: False}


@dataclass(frozen=True)
class Condition:
    """One row of the editor. `field` is the name of an event property."""

    field: str = ""
    operator: str = "eq"
    kind: str = TEXT
    value: str = ""

    @property
    def is_fixed(self) -> bool:
        return self.operator == FIXED

    @property
    def is_blank(self) -> bool:
        return not self.field and not self.value


SubmittedFilter = SubmittedRows[Mapping[str, Any], Condition]


def conditions_of(shown: Mapping[str, Any]) -> list[Condition]:
    """Return the rows that express the filter `shown`."""
    return [condition for field, wanted in shown.items() for condition in _rows_of(field, wanted)]


def _rows_of(field: str, wanted: Any) -> Iterator[Condition]:
    operators = wanted if isinstance(wanted, dict) and wanted else {"eq": wanted}
    rows = [_row_of(field, operator, value) for operator, value in operators.items()]
    if None in rows:
        yield Condition(field, FIXED, FIXED)
    else:
        yield from (row for row in rows if row is not None)


def _row_of(field: str, operator: str, value: Any) -> Condition | None:
    """Return the row for one comparison, or None if a row cannot express it."""
    if operator == "exists" and isinstance(value, bool):
        return Condition(field, PRESENT if value else MISSING)
    if operator not in OPERATORS:
        return None
    row = _list_row(field, value) if operator in LISTS else row_of(field, value)
    return None if row is None or row.is_fixed else Condition(field, operator, row.kind, row.value)


def _list_row(field: str, values: Any) -> Row | None:
    """Return a row with the comma-separated `values`, or None unless they are all texts or all numbers."""
    rows = [row_of(field, value) for value in values] if isinstance(values, list) else []
    kinds = {row.kind for row in rows}
    fits_in_row = kinds in ({TEXT}, {NUMBER}) and all(
        row.value == row.value.strip() and "," not in row.value for row in rows
    )
    return Row(field, kinds.pop(), ", ".join(row.value for row in rows)) if fits_in_row else None


def filter_in_words(shown: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each condition, such as "amount is at least 10"."""
    for field, wanted in shown.items():
        for operator, value in (wanted if isinstance(wanted, dict) and wanted else {"eq": wanted}).items():
            yield condition_in_words(field, operator, value)


def condition_in_words(field: str, operator: str, value: Any) -> str:
    if operator == "exists":
        return f"{field} {OPERATORS[PRESENT if value else MISSING]}"
    return f"{field} {OPERATORS.get(operator, operator)} {value_in_words(value)}"


def filter_of(submitted: SubmittedFilter) -> dict[str, Any] | None:
    """Return the filter that the submitted rows express, or None without rows.

    Raises: forms.ValidationError.
    """
    wanted: dict[str, Any] = {}
    for row in submitted.rows:
        _add(wanted, row, submitted.shown)
    return {field: _short_form(operators) for field, operators in wanted.items()} or None


def _add(wanted: dict[str, Any], row: Condition, shown: Mapping[str, Any]) -> None:
    if not row.field:
        raise forms.ValidationError(f"The value “{row.value}” needs a property.")
    operators = wanted.setdefault(row.field, {})
    name = "exists" if row.operator in EXISTENCE else row.operator
    if name in operators or FIXED in operators or (row.is_fixed and operators):
        raise forms.ValidationError(f"“{row.field}” appears twice.")
    operators[name] = _value_of(row, shown)


def _value_of(row: Condition, shown: Mapping[str, Any]) -> Any:
    if row.operator in EXISTENCE:
        return EXISTENCE[row.operator]
    if row.operator in LISTS:
        return _values(row, shown)
    if not row.is_fixed and row.operator not in OPERATORS:
        raise forms.ValidationError(f"“{row.field}”: “{row.operator}” is not an operator.")
    return value_of(Row(row.field, row.kind, row.value), shown)


def _values(row: Condition, shown: Mapping[str, Any]) -> list[Any]:
    parts = [part.strip() for part in row.value.split(",") if part.strip()]
    if not parts or row.kind in {YES, NO}:
        raise forms.ValidationError(f"“{row.field}”: give the values, separated by commas.")
    return [value_of(Row(row.field, row.kind, part), shown) for part in parts]


def _short_form(operators: Mapping[str, Any]) -> Any:
    if FIXED in operators:
        return operators[FIXED]
    return operators["eq"] if set(operators) == {"eq"} else operators


class ConditionsWidget(RowsWidget):
    """`suggests` is the id of a list of properties on the page."""

    suggests = ""
    template_name = "admin/participants/conditions.html"
    row_class = Condition
    choices = {"kinds": KINDS, "operators": OPERATORS}

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["suggests"] = self.suggests
        return context

    def show(self, value: Mapping[str, Any]) -> SubmittedFilter:
        return SubmittedFilter(value, conditions_of(value))


class ConditionsField(ShownValueField):
    """Form field. Its cleaned value is a filter, or None without conditions."""

    widget = ConditionsWidget

    def __init__(self, *, suggests: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget.suggests = suggests

    def in_words(self, value: Mapping[str, Any] | None) -> SafeString | None:
        return list_of(filter_in_words(value or {}))

    def submitted_value(self, submitted: SubmittedFilter) -> dict[str, Any] | None:
        return filter_of(submitted)

    def unchanged(self, shown: Mapping[str, Any]) -> SubmittedFilter:
        return ConditionsWidget().show(shown)
