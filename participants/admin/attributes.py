"""The editor of a participant's attributes: rows of key, kind and value. Nobody writes JSON.

What the form showed travels with it, so that the answer is a patch: what a client changed in the meantime and the
operator did not touch stays as the client left it. Values that have a shape of their own are kept, or removed.
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

TEXT, NUMBER, YES, NO, KEPT = "text", "number", "yes", "no", "kept"
KINDS = {TEXT: "Text", NUMBER: "Number", YES: "Yes", NO: "No"}
_INTEGER = re.compile(r"-?\d{1,19}")
MAX_ROWS = 500


@dataclass(frozen=True)
class Row:
    key: str = ""
    kind: str = TEXT
    value: str = ""

    @property
    def is_kept(self) -> bool:
        return self.kind == KEPT

    @property
    def is_blank(self) -> bool:
        return not self.key and not self.value


@dataclass(frozen=True)
class Submitted:
    """The rows as they came back, and the attributes they were made from."""

    shown: Mapping[str, Any]
    rows: Sequence[Row]


def row_of(key: str, value: Any) -> Row:
    if isinstance(value, bool):
        return Row(key, YES if value else NO)
    if isinstance(value, int | float):
        return Row(key, NUMBER, json.dumps(value))
    if isinstance(value, str) and not control_character_problem(value + key):
        return Row(key, TEXT, value)
    return Row(key, KEPT, json.dumps(value, ensure_ascii=False))


def patch_of(submitted: Submitted) -> dict[str, Any]:
    """What to change, as a merge patch (null removes). Raises ValidationError."""
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
        raise forms.ValidationError(f"“{row.key}” is there twice.")
    if not row.is_kept and (control_character_problem(row.key) or control_character_problem(row.value)):
        raise forms.ValidationError(f"“{row.key}” must not contain control characters.")


def value_of(row: Row, shown: Mapping[str, Any]) -> Any:
    """What the row says; `shown` has the values that are kept. Raises ValidationError."""
    if row.is_kept:
        return _kept(row, shown)
    if row.kind == NUMBER:
        return _number(row)
    return row.value if row.kind == TEXT else row.kind == YES


def _kept(row: Row, shown: Mapping[str, Any]) -> Any:
    if row.key not in shown:
        raise forms.ValidationError(f"“{row.key}” is gone; load the page again.")
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
    return key not in shown or json.dumps(value) != json.dumps(shown[key])  # as JSON, since 1 == True == 1.0


class AttributesWidget(forms.Widget):
    template_name = "console/attributes.html"

    class Media:
        js = ("console/attributes.js",)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Submitted:
        columns = (data.getlist(f"{name}-{column}")[:MAX_ROWS] for column in ("key", "kind", "value"))
        rows = (Row(*cells) for cells in zip(*columns, strict=False))
        return Submitted(as_object(data.get(f"{name}-shown", "")), [row for row in rows if not row.is_blank])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        submitted = value if isinstance(value, Submitted) else _unchanged(value or {})
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"rows": [*submitted.rows, Row()], "kinds": KINDS, "shown": json.dumps(submitted.shown)}
        return context


def as_object(text: str) -> Mapping[str, Any]:
    """The JSON object that `text` is, empty for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _unchanged(attributes: Mapping[str, Any]) -> Submitted:
    return Submitted(attributes, list(_rows(attributes)))


def _rows(attributes: Mapping[str, Any]) -> Iterator[Row]:
    return (row_of(key, value) for key, value in attributes.items())


class AttributesField(forms.Field):
    """Cleans to a merge patch; empty where nothing changed."""

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
