"""The editor of a participant's attributes: rows of key, kind and value, so that staff need not write JSON.

The form contains the attributes that it showed, so that the result is a patch: attributes that a client changed meanwhile, and
the operator did not touch, keep the client's value. Structured values (objects, lists) can be removed, but not edited.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from participants.admin.words import table_of
from participants.engine import MAX_BIGINT, control_character_problem, object_problem

TEXT, NUMBER, YES, NO, FIXED = "text", "number", "yes", "no", "fixed"
KINDS = {TEXT: "Text", NUMBER: "Number", YES: "Yes", NO: "No"}
_INTEGER = re.compile(r"-?\d{1,19}")
MAX_ROWS = 500


@dataclass(frozen=True)
class Row:
    key: str = ""
    kind: str = TEXT
    value: str = ""

    @property
    def is_fixed(self) -> bool:
        return self.kind == FIXED

    @property
    def is_blank(self) -> bool:
        return not self.key and not self.value


@dataclass(frozen=True)
class Submitted:
    """The submitted rows, and the attributes that the form had shown."""

    shown: Mapping[str, Any]
    rows: Sequence[Row]


def row_of(key: str, value: Any) -> Row:
    """Return the row that shows an attribute. Values that a row cannot express become a `FIXED` row."""
    if isinstance(value, bool):
        return Row(key, YES if value else NO)
    if isinstance(value, int | float):
        return Row(key, NUMBER, json.dumps(value))
    if isinstance(value, str) and not control_character_problem(value + key):
        return Row(key, TEXT, value)
    return Row(key, FIXED, json.dumps(value, ensure_ascii=False))


def patch_of(submitted: Submitted) -> dict[str, Any]:
    """Return the changes as a merge patch, in which null removes a key.

    Raises: forms.ValidationError.
    """
    wanted: dict[str, Any] = {}
    for row in submitted.rows:
        _check_key(row, wanted)
        wanted[row.key] = value_of(row, submitted.shown)
    if problem := object_problem(wanted):
        raise forms.ValidationError(problem)
    removed = {key: None for key in submitted.shown if key not in wanted}
    changed = {key: value for key, value in wanted.items() if _differs(key, value, submitted.shown)}
    return removed | changed


def _check_key(row: Row, taken: Mapping[str, Any]) -> None:
    if not row.key:
        raise forms.ValidationError(f"The value “{row.value}” needs a name.")
    if row.key in taken:
        raise forms.ValidationError(f"“{row.key}” appears twice.")
    if not row.is_fixed and (control_character_problem(row.key) or control_character_problem(row.value)):
        raise forms.ValidationError(f"“{row.key}” must not contain control characters.")


def value_of(row: Row, shown: Mapping[str, Any]) -> Any:
    """Return the value of `row`. `shown` has the values of fixed rows.

    Raises: forms.ValidationError.
    """
    if row.is_fixed:
        return _fixed_value(row, shown)
    if row.kind == NUMBER:
        return _number(row)
    return row.value if row.kind == TEXT else row.kind == YES


def _fixed_value(row: Row, shown: Mapping[str, Any]) -> Any:
    if row.key not in shown:
        raise forms.ValidationError(f"“{row.key}” no longer exists; load the page again.")
    return shown[row.key]


def _number(row: Row) -> int | float:
    text = row.value.strip()
    try:
        number: int | float = int(text) if _INTEGER.fullmatch(text) else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or (isinstance(number, int) and abs(number) > MAX_BIGINT):
        raise forms.ValidationError(f"“{row.key}”: “{row.value}” is not a number.")
    return number


def _differs(key: str, value: Any, shown: Mapping[str, Any]) -> bool:
    return key not in shown or json.dumps(value) != json.dumps(shown[key])  # compared as JSON, because 1 == True == 1.0


class AttributesWidget(forms.Widget):
    template_name = "admin/participants/attributes.html"

    class Media:
        js = ("participants/attributes.js",)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Submitted:
        columns = (data.getlist(f"{name}-{column}")[:MAX_ROWS] for column in ("key", "kind", "value"))
        rows = (Row(*cells) for cells in zip(*columns, strict=False))
        return Submitted(as_object(data.get(f"{name}-shown", "")), [row for row in rows if not row.is_blank])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        submitted = value if isinstance(value, Submitted) else _initial_rows_of(value or {})
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"rows": [*submitted.rows, Row()], "kinds": KINDS, "shown": json.dumps(submitted.shown)}
        return context


def as_object(text: str) -> Mapping[str, Any]:
    """Parse `text` as a JSON object; return an empty one if it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _initial_rows_of(attributes: Mapping[str, Any]) -> Submitted:
    return Submitted(attributes, list(_rows(attributes)))


def _rows(attributes: Mapping[str, Any]) -> Iterator[Row]:
    return (row_of(key, value) for key, value in attributes.items())


class AttributesField(forms.Field):
    """Form field. Its cleaned value is a merge patch, which is empty if nothing changed."""

    widget = AttributesWidget

    def in_words(self, value: Mapping[str, Any] | None) -> SafeString | None:
        return table_of(value or {})

    def clean(self, value: Any) -> dict[str, Any]:
        return patch_of(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(patch_of(data))
        except forms.ValidationError:
            return True
