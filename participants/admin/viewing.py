"""The page of an object for staff who may view it but not change it: the values of its form in words.

Django would show the columns of the model: nothing for fields that only the form has, and JSON for a column that the form splits
into fields. Here each form field is shown by its own `in_words`, by the label of its choice, or as plain text.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.utils import flatten_fieldsets
from django.db.models import Model
from django.http import HttpRequest

from participants.admin.words import plain

COMPARISON = re.compile(r"(\w+) (==|!=) '([^']*)'")


def show_in_words(page: AdminForm, request: HttpRequest, row: Model) -> None:
    """Change `page` so that it shows the form fields in words. Fields that do not apply to this row are left out."""
    admin: Any = copy.copy(page.model_admin)
    conditions: Mapping[str, str] = getattr(admin, "conditional_fields", {})
    admin.conditional_fields = {}  # the script of the page would look for inputs that do not exist
    words = _FieldWords.of(_form(admin, request, row), conditions)
    fieldsets = [(title, _options(options, words)) for title, options in page.fieldsets]
    shown: Any = [(title, options) for title, options in fieldsets if options["fields"]]
    page.fieldsets, page.readonly_fields, page.model_admin = shown, flatten_fieldsets(shown), admin


def words_by_label(admin: Any, request: HttpRequest, row: Model) -> dict[str, Any]:
    """Return the values of all form fields of `row` in words, by the label of the field. Fields that do not apply are left out."""
    form = _form(admin, request, row)
    words = _FieldWords.of(form, getattr(admin, "conditional_fields", {}))
    names = [name for name in form.fields if name not in words.left_out and name != "opened_for"]
    return {str(form.fields[name].label or name.replace("_", " ")): words.of_field(name) for name in names}


def _form(admin: Any, request: HttpRequest, row: Model) -> forms.BaseForm:
    """Return the form that a user who may change the row would get."""
    form_class: Any = type(admin.form.__name__, (admin.form,), {"request": request})
    named = {*form_class.base_fields, *(getattr(form_class._meta, "fields", None) or ())}
    names = [column.name for column in row._meta.fields if column.editable and column.name in named]
    form: forms.BaseForm = forms.modelform_factory(type(row), form=form_class, fields=names)(instance=row)
    return form


def _options(options: Mapping[str, Any], words: "_FieldWords") -> dict[str, Any]:
    """Return the fieldset for viewers, without its description, which explains changes."""
    return {**options, "description": "", "fields": list(words.fields(options["fields"]))}


@dataclass(frozen=True)
class _FieldWords:
    """The values of form fields in words, and the names of fields that are left out."""

    form: forms.BaseForm
    values: Mapping[str, Any]
    left_out: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, form: forms.BaseForm, conditions: Mapping[str, str]) -> "_FieldWords":
        values = {name: form.get_initial_for_field(each, name) for name, each in form.fields.items()}
        not_met = {name for name, condition in conditions.items() if not _is_met(condition, values)}
        return cls(form, values, not_met | set(getattr(form, "only_edited", ())))

    def fields(self, names: Iterable[Any]) -> Iterator[Any]:
        """Yield the entries of a fieldset, with a callable instead of each form field. Fields on one line stay together."""
        for name in names:
            if not isinstance(name, str):
                yield list(self.fields(name))
            elif name not in self.left_out:
                yield self._callable_for(name) if name in self.form.fields else name

    def _callable_for(self, name: str) -> Callable[[Model], Any]:
        words = self.of_field(name)

        def shown(row: Model) -> Any:
            return words

        shown.__name__ = name
        shown.short_description = self.form.fields[name].label or name.replace("_", " ")  # type: ignore[attr-defined]  # Django reads the label from it
        return shown

    def of_field(self, name: str) -> Any:
        words = in_words(self.form.fields[name], self.values[name])
        return getattr(self.form, "unset_words", {}).get(name) if words is None else words


def _is_met(condition: str, values: Mapping[str, Any]) -> bool:
    """Whether a condition of `conditional_fields` holds. It consists of comparisons with a text, joined by `||`."""
    return any(_holds(part, values) for part in condition.split(" || "))


def _holds(comparison: str, values: Mapping[str, Any]) -> bool:
    found = COMPARISON.fullmatch(comparison)
    assert found, f"viewers' pages cannot evaluate {comparison!r}"  # noqa: S101 - a test opens every page
    name, operator, text = found.groups()
    value = values.get(name)
    return (("" if value is None else str(value)) == text) == (operator == "==")


def in_words(form_field: forms.Field, value: Any) -> Any:
    """Return `value` of a form field in words (text or markup), or None if there is nothing to show."""
    if convert := getattr(form_field, "in_words", None):
        return convert(value)
    choices, value = _choices(form_field), form_field.prepare_value(value)
    if isinstance(value, list | tuple):
        return ", ".join(choices.get(str(each), plain(each)) for each in value) or None
    text = "" if value is None else str(value)
    if text in choices:
        return choices[text]
    return plain(value) if text else None


def _choices(form_field: forms.Field) -> dict[str, str]:
    """Return the choices of a field. Some fields have them only in their widget."""
    choices: Any = getattr(form_field, "choices", ()) or getattr(form_field.widget, "choices", ())
    return {str(value): str(label) for value, label in choices}
