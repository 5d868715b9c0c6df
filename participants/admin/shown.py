"""Base of editors that compare what was submitted with what the form had shown, so that an edit does not overwrite a concurrent one.

The form submits the shown value as JSON in the input `<name>-shown`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms


def are_same(one: Any, other: Any) -> bool:
    """Compare as JSON, because 1 == True == 1.0 in Python."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def objects_in(text: str) -> list[dict[str, Any]]:
    """Parse `text` as a JSON list, and return the objects in it. Return an empty list if it is anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def shown_object(shown: Sequence[Mapping[str, Any]], place: str) -> Mapping[str, Any] | None:
    """Return the object at index `place`, which the browser sent as text; None if there is none."""
    is_place = place.isascii() and place.isdecimal() and int(place[:9]) < len(shown)
    return shown[int(place)] if is_place else None


class ShownValueWidget(forms.Widget):
    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-shown" not in data


class ShownValueField(forms.Field):
    """A field whose widget returns the submitted rows together with the shown value, as `shown`."""

    submits_shown_value = True

    def submitted_value(self, submitted: Any) -> Any:
        """Return the value that the submitted rows express. Raises: ValidationError."""
        raise NotImplementedError

    def unchanged(self, shown: Any) -> Any:
        """Return what the browser submits if the rows are not edited."""
        raise NotImplementedError

    def clean(self, value: Any) -> Any:
        return self.submitted_value(value)

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not are_same(self.submitted_value(data), self.submitted_value(self.unchanged(data.shown)))
        except (forms.ValidationError, LookupError, TypeError):  # the shown value was tampered with
            return True
