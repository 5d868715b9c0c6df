"""The form of a new export, made from the filters of its kind, and links to it from lists."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.urls import reverse
from django.utils.http import urlencode
from rest_framework import serializers
from unfold.widgets import UnfoldAdminSelectWidget

from gamify_project.exports.models import ExportFormat
from participants.admin.fields import ChoiceField, LineField, MomentField, SwitchField
from participants.admin.filters import filter_day
from participants.api.exporting import ExportKind, export_kinds
from participants.api.scalars import InstantField
from participants.engine import instant_text, start_of_day

LEFT_OUT = "left_out"
ANY = ("", "any")
FLAG_VALUES = {"1": "true", "0": "false", "free": "true", "taken": "false"}
"""Values of list filters that mean yes or no."""

NO_FILTERS = frozenset({"o", "p", "all", "e", "_facets", "_popup"})


class ExportForm(forms.Form):
    """Format of the file, and the filters of one kind (`form_for`)."""

    format = ChoiceField(choices=ExportFormat.choices, initial=ExportFormat.CSV)
    bom = SwitchField(
        label="For Excel", help_text="Begin the CSV file with a byte order mark, so that Excel reads it as UTF-8."
    )

    def request_body(self) -> dict[str, Any]:
        """Return what a client of the API would send, without the kind."""
        values = self.cleaned_data
        filters = {name: _json_value(values[name]) for name in self.fields if name not in ExportForm.base_fields}
        return {
            "format": values["format"],
            "bom": values["bom"],
            "filters": {name: value for name, value in filters.items() if value not in (None, "")},
        }


def _json_value(value: Any) -> Any:
    return instant_text(value) if isinstance(value, datetime) else value


class FlagField(forms.TypedChoiceField):
    """Any, yes or no. Its cleaned value is None, True or False. A text field with the value `true` is no flag, and stays a text."""

    def __init__(self, **kwargs: Any) -> None:
        choices, widget = (ANY, ("true", "yes"), ("false", "no")), UnfoldAdminSelectWidget
        super().__init__(
            choices=choices,
            coerce=lambda value: value == "true",
            empty_value=None,
            required=False,
            widget=widget,
            **kwargs,
        )


def form_for(kind: ExportKind) -> type[ExportForm]:
    """Return the form of a kind: one field for each filter."""
    fields = {name: _field_for(field) for name, field in kind.filters().fields.items()}
    return type("Form", (ExportForm,), fields)


def _field_for(field: serializers.Field[Any, Any, Any, Any]) -> forms.Field:
    about: dict[str, Any] = {"help_text": field.help_text}
    if isinstance(field, InstantField):
        return MomentField(**about)
    if isinstance(field, serializers.BooleanField):
        return FlagField(**about)
    if isinstance(field, serializers.ChoiceField):
        choices = field.choices.items() if field.required else [ANY, *field.choices.items()]
        return ChoiceField(choices=choices, required=field.required, **about)
    return LineField(required=field.required, **about)


# --- from a list to an export -----------------------------------------------------------------------------------------


def links_from(model_admin: Any, user: Any, parameters: Mapping[str, str], zone: ZoneInfo) -> Iterator[dict[str, str]]:
    """Yield the buttons above a list: title and address of each export that it offers and `user` may create.

    `model_admin.get_exports()` maps each kind to the list's filters that the export has too. `zone` is that of the days in these filters.
    """
    for name, translated in model_admin.get_exports().items():
        kind = export_kinds[name]
        if user.has_perms(("exports.add_export", kind.permission)):
            query = _query(kind, translated, parameters, zone)
            yield {"title": kind.title, "url": f"{reverse('admin:export_new', args=[name])}?{urlencode(query)}"}


def _query(
    kind: ExportKind, translated: Mapping[str, str], parameters: Mapping[str, str], zone: ZoneInfo
) -> dict[str, str]:
    """Return the filters of the list as those of the export, and under LEFT_OUT the names of those that it does not have."""
    fields, query, left_out = kind.filters().fields, {}, []
    for parameter, given in parameters.items():
        name, value = translated.get(parameter), given.strip()
        if name is not None:
            query[name] = _value(fields[name], parameter, value, zone)
        elif value and parameter not in NO_FILTERS:
            left_out.append(parameter.partition("__")[0].replace("_", " "))
    return query | ({LEFT_OUT: ", ".join(left_out)} if left_out else {})


def _value(field: serializers.Field[Any, Any, Any, Any], parameter: str, value: str, zone: ZoneInfo) -> str:
    if isinstance(field, serializers.BooleanField):
        return FLAG_VALUES.get(value, value)
    day = filter_day(value) if isinstance(field, InstantField) else None
    if day is None:
        return value
    last = parameter.endswith("_to")  # lists include the last day
    return f"{start_of_day(day + timedelta(days=last), zone):%Y-%m-%dT%H:%M:%S}"
