"""The editor of grants (docs/contract.md §11): one row per grant, with a kind and the inputs that this kind needs.

class RuleForm(DefinitionForm):
    grants = GrantsField(label="Gives")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["grants"].suggest_for(self.tenant)

The rows follow from the registered grant kinds. The field does not validate grants: the request bodies of the API do that, and
`words.grant_error_sentence` words their errors. A grant that rows cannot express has a row that keeps it or removes it.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from gamify.facts.admin.seen import PROPERTIES
from gamify.facts.admin.words import grant_in_words
from gamify.facts.services import GrantField, GrantForm, GrantKind, grant_kinds, reference_names
from participants.admin.shown import ShownValueField, ShownValueWidget, are_same, objects_in, shown_object
from participants.admin.words import list_of
from participants.models import Tenant

MAX_ROWS = 200
MAX_SUGGESTED = 200
BLANK = "points"
KEPT = "kept"
NAMED = "named"
NAMED_FIELD = GrantField(schema={"type": "string"}, about="", label="Which", placeholder="code")
INPUT_MODES = {"integer": "numeric", "number": "decimal"}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")

Spec = Mapping[str, Any]


def forms_of_kinds() -> Mapping[str, tuple[str, GrantForm]]:
    """The ways to fill in a grant (`GrantForm`), by name, each with the `type` of the grants that it makes."""
    return {
        name: (kind, form)
        for kind, entry in grant_kinds.items()
        for name, form in (entry.forms or {kind: GrantForm(entry.label, tuple(entry.fields))}).items()
    }


@dataclass(frozen=True)
class Column:
    """One input of a row, and the names of the forms that use it. References of all kinds share the column NAMED."""

    field: GrantField
    forms: Sequence[str]

    @property
    def holds_references(self) -> bool:
        return self.field is NAMED_FIELD

    @property
    def input_mode(self) -> str:
        return INPUT_MODES.get(self.field.schema["type"], "text")

    @property
    def options(self) -> Mapping[str, str]:
        """The choices. The default is sent as an empty text, so that it can be left out."""
        return {"" if value == self.field.default else value: label for value, label in self.field.choices.items()}


def columns() -> Mapping[str, Column]:
    """The inputs of a row by name. A form shows those that it uses."""
    inputs: dict[str, GrantField] = {}
    used_by: defaultdict[str, list[str]] = defaultdict(list)
    for name, (kind, form) in forms_of_kinds().items():
        for key in form.fields:
            column = _column(kind, key)
            inputs.setdefault(column, NAMED_FIELD if column == NAMED else grant_kinds[kind].fields[key])
            used_by[column].append(name)
    return {name: Column(grant_field, used_by[name]) for name, grant_field in inputs.items()}


def _column(kind: str, key: str) -> str:
    """The input of a field. What is named by a code shares one input; what is named by an id is chosen by name from a list of its own."""
    grant_field = grant_kinds[kind].fields[key]
    if grant_field.refers_to is None:
        return key
    return grant_field.refers_to.noun if grant_field.is_id else NAMED


@dataclass(frozen=True)
class Row:
    """`form` is the name of a form, or KEPT for a grant that rows cannot express. `cells` are the texts of its columns.

    The cell KEPT is the index of such a grant in `SubmittedGrants.shown`.
    """

    form: str = BLANK
    cells: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        return self.form == KEPT

    @property
    def is_blank(self) -> bool:
        """Whether all text inputs are empty. Choices always have a value, so they do not count."""
        chosen = {name for name, column in columns().items() if column.field.choices}
        return not any(text.strip() for name, text in self.cells.items() if name not in chosen)

    def spec(self) -> dict[str, Any]:
        """The grant as the API has it, not yet validated."""
        if self.form not in forms_of_kinds():
            return {"type": self.form}
        kind, form = forms_of_kinds()[self.form]
        fields = grant_kinds[kind].fields
        values = {key: _value(fields[key], self.cells.get(_column(kind, key), "")) for key in form.fields}
        return {"type": kind} | {key: value for key, value in values.items() if value != "" or fields[key].is_required}


def _value(grant_field: GrantField, text: str) -> Any:
    return _number(text) if grant_field.schema["type"] in INPUT_MODES else text.strip()


def _number(text: str) -> Any:
    """Return the number that `text` is. Return any other text unchanged: the body of the API refuses it."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else text


@dataclass(frozen=True)
class SubmittedGrants:
    """The rows that the browser sent, and the grants that the page had shown.

    Changes are found by comparing these two, and not with the stored grants, so that edits by others are not reverted.
    """

    shown: Sequence[Spec]
    rows: Sequence[Row]


def row_of(spec: Spec, place: int) -> Row:
    """Return the row that expresses `spec`, or else a row that keeps the grant at index `place`."""
    rows = (_row(name, spec) for name, (kind, _) in forms_of_kinds().items() if kind == spec.get("type"))
    return next(
        (row for row in rows if are_same(_without_defaults(row.spec()), _without_defaults(spec))),
        Row(KEPT, {KEPT: str(place)}),
    )


def _row(name: str, spec: Spec) -> Row:
    kind, form = forms_of_kinds()[name]
    spec = _without_defaults(spec)
    return Row(name, {_column(kind, key): str(spec[key]) for key in form.fields if key in spec})


def _without_defaults(spec: Spec) -> dict[str, Any]:
    kind = spec.get("type")
    fields = grant_kinds[kind].fields if isinstance(kind, str) and kind in grant_kinds else {}
    return {key: value for key, value in spec.items() if key not in fields or value != fields[key].default}


def grants_of(submitted: SubmittedGrants) -> list[dict[str, Any]]:
    """Return the grants that the rows express. Raises: ValidationError if a kept grant is missing."""
    return [_kept_grant(row, submitted.shown) if row.is_kept else row.spec() for row in submitted.rows]


def _kept_grant(row: Row, shown: Sequence[Spec]) -> dict[str, Any]:
    stored = shown_object(shown, row.cells.get(KEPT, ""))
    if stored is None:
        raise forms.ValidationError("A stored grant is no longer there; load the page again.")
    return dict(stored)


class GrantsWidget(ShownValueWidget):
    template_name = "admin/facts/grants.html"
    tenant: Tenant | None = None

    class Media:
        js = ("participants/attributes.js",)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> SubmittedGrants:
        names = (*columns(), KEPT)
        kinds = data.getlist(f"{name}-kind")[:MAX_ROWS]
        blank = [""] * len(kinds)  # a form that was opened before an upgrade lacks columns that are new
        cells = (data.getlist(f"{name}-{column}")[:MAX_ROWS] or blank for column in names)
        rows = [Row(kind, dict(zip(names, texts, strict=True))) for kind, *texts in zip(kinds, *cells, strict=False)]
        return SubmittedGrants(objects_in(data.get(f"{name}-shown", "")), [row for row in rows if not row.is_blank])

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        submitted = value if isinstance(value, SubmittedGrants) else _unchanged(value or [])
        context = super().get_context(name, None, attrs)
        context["widget"] |= {
            "rows": [self._row_context(row, submitted.shown) for row in (*submitted.rows, Row())],
            "properties": PROPERTIES,
            "shown": json.dumps(submitted.shown),
            "forms": {form_name: form.label for form_name, (_, form) in forms_of_kinds().items()},
            "suggested": self._suggested(),
        }
        return context

    def _row_context(self, row: Row, shown: Sequence[Spec]) -> dict[str, Any]:
        inputs = {name: self._input(column, row.cells.get(name, "")) for name, column in columns().items()}
        words = _kept_in_words(row, shown, self.tenant)
        return {"row": row, "inputs": inputs, "kept": row.cells.get(KEPT, ""), "words": words}

    def _input(self, column: Column, value: str) -> dict[str, Any]:
        options = column.options
        if column.field.is_id:
            kind, _ = forms_of_kinds()[column.forms[0]]
            options = choices_of_ids(grant_kinds[kind], value, self.tenant)
        return {"column": column, "value": value, "options": options}

    def _suggested(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        """What the inputs for codes and ids suggest: rows of (code or id, name), by name of the form."""
        if self.tenant is None:
            return {}
        sources = {name: grant_kinds[kind].suggestions for name, (kind, _) in forms_of_kinds().items()}
        return {name: list(source(self.tenant)[:MAX_SUGGESTED]) for name, source in sources.items() if source}


def choices_of_ids(kind: GrantKind, value: str, tenant: Tenant | None) -> Mapping[str, str]:
    """Return the definitions that a grant can name by id: their names, by id. `value`, which is stored, is always one of them."""
    if tenant is None:
        return {"": "–"}
    found = kind.suggestions(tenant)[:MAX_SUGGESTED] if kind.suggestions else ()
    choices = {"": "–"} | {str(pk): str(name) for pk, name in found}
    if value not in choices:
        name = reference_names(tenant).get(value)
        choices[value] = f"{name} (not in use)" if name else "one that does not exist"
    return choices


def _unchanged(stored: Sequence[Spec]) -> SubmittedGrants:
    return SubmittedGrants(stored, [row_of(spec, place) for place, spec in enumerate(stored)])


def _kept_in_words(row: Row, shown: Sequence[Spec], tenant: Tenant | None) -> str:
    """Return the grant in words, which the page shows instead of inputs if rows cannot express it. Empty for other rows."""
    try:
        return grant_in_words(_kept_grant(row, shown), tenant) if row.is_kept else ""
    except forms.ValidationError as gone:
        return str(gone.messages[0])


class GrantsField(ShownValueField):
    """Cleans to grants as the API has them, not yet validated."""

    widget = GrantsWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def in_words(self, value: Sequence[Spec] | None) -> SafeString | None:
        return list_of(grant_in_words(spec, self._tenant) for spec in value or ())

    @property
    def _tenant(self) -> Tenant | None:
        tenant: Tenant | None = self.widget.tenant
        return tenant

    def suggest_for(self, tenant: Tenant | None) -> None:
        """List the definitions of `tenant` as choices in the inputs for codes and ids, and use their names in words."""
        assert isinstance(self.widget, GrantsWidget), "a field of grants has their widget"  # noqa: S101
        self.widget.tenant = tenant

    def submitted_value(self, submitted: SubmittedGrants) -> list[dict[str, Any]]:
        return grants_of(submitted)

    def unchanged(self, shown: Sequence[Spec]) -> SubmittedGrants:
        return _unchanged(shown)
