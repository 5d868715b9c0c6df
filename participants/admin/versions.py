"""The versions of a definition: what each changed, in the words of its form, and the page that reverts to one of them.

The change log stores the values before and after each change. So an earlier version is the current row, with the changes since then
taken back.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget

from participants.admin.fields import ReasonField
from participants.admin.pages import PageForm
from participants.admin.viewing import words_by_label
from participants.admin.words import NOTHING
from participants.models import ConfigurationChange, Definition
from participants.services.changes import newest_number, type_of

PAGE = 20
FIRST = 1


@dataclass(frozen=True)
class Difference:
    """One setting that differs between two versions, in words."""

    label: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Version:
    """One version for its reader. `change` is None for a version that an earlier release made: it is only known by its settings."""

    number: int
    change: ConfigurationChange | None
    differences: Sequence[Difference]

    @property
    def text(self) -> str:
        return str(self.number)


def changes_of(row: Definition) -> "QuerySet[ConfigurationChange]":
    """Return the changes that made the versions of `row`, newest first."""
    found = ConfigurationChange.objects.filter(
        tenant_id=row.tenant_id, object_type=type_of(type(row)), object_id=str(row.pk), number__isnull=False
    )
    return found.order_by("-number")


def settings_at(row: Definition, number: int) -> dict[str, Any]:
    """Return the settings of version `number` that differ from those of `row`, by field of the model."""
    settings: dict[str, Any] = {}
    for change in changes_of(row).filter(number__gt=number):
        settings |= {name: _read(row, name, values["before"]) for name, values in change.changes.items()}
    return {name: value for name, value in settings.items() if getattr(row, name) != value}


def _read(row: Definition, name: str, value: Any) -> Any:
    """Convert a value of the change log to the type of the field: a time or a decimal is stored as text."""
    field: Any = row._meta.get_field(name)
    return field.to_python(value)


def with_settings(row: Definition, settings: Mapping[str, Any]) -> Any:
    """Return an unsaved copy of `row` with other settings."""
    other = copy.copy(row)
    for name, value in settings.items():
        setattr(other, name, value)
    return other


def versions(model_admin: Any, request: HttpRequest, row: Definition, *, first: int, last: int) -> Iterator[Version]:
    """Yield the versions from number `last` down to number `first`, with what each changed."""
    by_number = {change.number: change for change in changes_of(row).filter(number__gte=first, number__lte=last)}
    shown = with_settings(row, settings_at(row, last))
    words = words_by_label(model_admin, request, shown)
    for number in range(last, first - 1, -1):
        change = by_number.get(number)
        if change is None or number == FIRST:
            yield Version(number, change, ())
            continue
        taken_back = {name: _read(row, name, values["before"]) for name, values in change.changes.items()}
        shown = with_settings(shown, taken_back)
        before = words_by_label(model_admin, request, shown)
        yield Version(number, change, list(_differences(before, words)))
        words = before


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for label in {**before, **after}:
        old, new = before.get(label), after.get(label)
        if str(old) != str(new):
            yield Difference(label, NOTHING if old is None else old, NOTHING if new is None else new)


def differences_to(
    model_admin: Any, request: HttpRequest, row: Definition, settings: Mapping[str, Any]
) -> Sequence[Difference]:
    """Return what changes if `row` gets these settings."""
    after = words_by_label(model_admin, request, with_settings(row, settings))
    return list(_differences(words_by_label(model_admin, request, row), after))


def sentence(difference: Difference) -> SafeString:
    before, after = conditional_escape(difference.before), conditional_escape(difference.after)
    return format_html("<strong>{}</strong>: {} → {}", difference.label, before, after)


class RevertForm(PageForm):
    """Asks for the version, and for the reason."""

    version = forms.TypedChoiceField(coerce=int, widget=UnfoldAdminSelectWidget)
    change_reason = ReasonField(label="Reason", required=False, help_text="It is stored with the change.")

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        newest = newest_number(row)
        made = dict(changes_of(row).values_list("number", "created_at"))
        choices = [(number, _title(number, made.get(number))) for number in range(newest - 1, 0, -1)]
        version: Any = self.fields["version"]
        version.choices = choices


def _title(number: int, made_at: datetime | None) -> str:
    return f"Version {number}" if made_at is None else f"Version {number}, {made_at:%Y-%m-%d %H:%M} UTC"
