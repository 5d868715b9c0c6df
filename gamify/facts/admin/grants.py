"""The editor of grants (contract §11): rows of a kind and what that kind needs. What they say, the API's body judges.

class RuleForm(DefinitionForm):
    grants = GrantsField(label="Gives")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["grants"].suggest_for(self.tenant)

A grant that rows cannot say is kept as it is, or removed. What is wrong with one is said by
`words.grant_sentence`.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.safestring import SafeString

from gamify.facts.admin.words import BY_PROPERTY, KINDS, POINTS, REWARD, ROUNDINGS, grant_in_words
from gamify.facts.services import grant_kinds
from participants.admin.words import list_of
from participants.models import Tenant
from participants.registries import Registry

MAX_ROWS = 200
MAX_SUGGESTED = 200
KEPT = "kept"
COLUMNS = ("kind", "amount", "field", "factor", "rounding", "max", "named", "kept")
DEFAULTS: Mapping[str, Any] = {"rounding": "floor", "factor": 1, "max": None}
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")

Spec = Mapping[str, Any]
Suggest = Callable[[Tenant], Iterable[tuple[str, str]]]

suggestions: Registry[Suggest] = Registry("Suggestion for grants")
"""What may be named in a grant of each kind, as (code or id, name): registered in the `admin` of the domain that gives it."""


@dataclass(frozen=True)
class Row:
    """`named` is a code or, of a reward, its id; `kept` the place of a grant that rows cannot say, among those shown."""

    kind: str = POINTS
    amount: str = ""
    field: str = ""
    factor: str = ""
    rounding: str = ""
    max: str = ""
    named: str = ""
    kept: str = ""

    @property
    def is_kept(self) -> bool:
        return self.kind == KEPT

    @property
    def is_blank(self) -> bool:
        return not any(map(str.strip, (self.amount, self.field, self.factor, self.max, self.named, self.kept)))

    def spec(self) -> dict[str, Any]:
        """As the API has it, not yet judged."""
        if self.kind == POINTS:
            return {"type": POINTS, "amount": _number(self.amount)}
        if self.kind == BY_PROPERTY:
            return {"type": POINTS, "field": self.field.strip(), **self._sum()}
        return {"type": self.kind, "id" if self.kind == REWARD else "code": self.named.strip()}

    def _sum(self) -> dict[str, Any]:
        """What is said besides the field."""
        said = {"factor": _number(self.factor), "rounding": self.rounding, "max": _number(self.max)}
        return {name: value for name, value in said.items() if value != ""}


@dataclass(frozen=True)
class SubmittedGrants:
    """The rows as they came back, and the grants they were made from: another edit meanwhile is not undone."""

    shown: Sequence[Spec]
    rows: Sequence[Row]


def _number(text: str) -> Any:
    """The number that `text` is; what is none is left for the body to refuse."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else text


def row_of(spec: Spec, place: int) -> Row:
    """The row that says the same, else one that keeps it."""
    row = _read(spec)
    said = _as_json(_without_defaults(row.spec()))
    return row if said == _as_json(_without_defaults(spec)) else Row(KEPT, kept=str(place))


def _read(spec: Spec) -> Row:
    kind = str(spec.get("type"))
    if kind != POINTS:
        return Row(kind if kind in KINDS else "", named=str(spec.get("id" if kind == REWARD else "code", "")))
    if "field" not in spec:
        return Row(POINTS, amount=str(spec.get("amount", "")))
    said = {name: str(value) for name, value in _without_defaults(spec).items() if name in DEFAULTS}
    return Row(BY_PROPERTY, field=str(spec["field"]), **said)


def _without_defaults(spec: Spec) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in DEFAULTS or value != DEFAULTS[name]}


def _as_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)  # as JSON, since 1 == True == 1.0


def grants_of(submitted: SubmittedGrants) -> list[dict[str, Any]]:
    """The grants that the rows say. Raises ValidationError."""
    return [_kept(row, submitted.shown) if row.is_kept else row.spec() for row in submitted.rows]


def _kept(row: Row, shown: Sequence[Spec]) -> dict[str, Any]:
    if not row.kept.isascii() or not row.kept.isdecimal() or int(row.kept[:9]) >= len(shown):
        raise forms.ValidationError("A grant that was kept is gone; load the page again.")
    return dict(shown[int(row.kept)])


class GrantsWidget(forms.Widget):
    template_name = "console/grants.html"
    tenant: Tenant | None = None

    class Media:
        js = ("console/attributes.js",)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> SubmittedGrants:
        columns = (data.getlist(f"{name}-{column}")[:MAX_ROWS] for column in COLUMNS)
        rows = [Row(*cells) for cells in zip(*columns, strict=False)]
        return SubmittedGrants(_as_grants(data.get(f"{name}-shown", "")), [row for row in rows if not row.is_blank])

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        submitted = value if isinstance(value, SubmittedGrants) else _unchanged(value or [])
        context = super().get_context(name, None, attrs)
        context["widget"] |= {
            "rows": [(row, _words_of(row, submitted.shown)) for row in (*submitted.rows, Row())],
            "shown": json.dumps(submitted.shown),
            "kinds": {kind: text for kind, text in KINDS.items() if kind.partition("_by")[0] in grant_kinds},
            "roundings": ROUNDINGS,
            "suggested": self._suggested(),
        }
        return context

    def _suggested(self) -> Mapping[str, Sequence[tuple[str, str]]]:
        if self.tenant is None:
            return {}
        return {kind: list(suggest(self.tenant)) for kind, suggest in suggestions.items()}


def _as_grants(text: str) -> list[Spec]:
    """The list of JSON objects that `text` is, empty for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [spec for spec in value if isinstance(spec, dict)] if isinstance(value, list) else []


def _unchanged(stored: Sequence[Spec]) -> SubmittedGrants:
    return SubmittedGrants(stored, [row_of(spec, place) for place, spec in enumerate(stored)])


def _words_of(row: Row, shown: Sequence[Spec]) -> str:
    """What stands there of a grant that is kept."""
    try:
        return grant_in_words(_kept(row, shown)) if row.is_kept else ""
    except forms.ValidationError as gone:
        return str(gone.messages[0])


class GrantsField(forms.Field):
    """Cleans to grants as the API has them, not yet judged."""

    widget = GrantsWidget
    submits_shown_value = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)

    def in_words(self, value: Sequence[Spec] | None) -> SafeString | None:
        return list_of(map(grant_in_words, value or ()))

    def suggest_for(self, tenant: Tenant | None) -> None:
        """Offer what `tenant` has defined where something is to be named."""
        assert isinstance(self.widget, GrantsWidget), "a field of grants has their widget"  # noqa: S101
        self.widget.tenant = tenant

    def clean(self, value: SubmittedGrants) -> list[dict[str, Any]]:
        return grants_of(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return _as_json(grants_of(data)) != _as_json(grants_of(_unchanged(data.shown)))
        except forms.ValidationError:
            return True
