"""Form field for a duration: a number and a unit. Its cleaned value, and the stored value, is in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms

from participants.engine import MAX_BIGINT

UNITS: Mapping[str, tuple[str, int]] = {
    "days": ("days", 86_400),
    "hours": ("hours", 3_600),
    "minutes": ("minutes", 60),
    "seconds": ("seconds", 1),
}


@dataclass(frozen=True)
class Length:
    """The submitted number and unit, and the seconds (`shown`) that the form had shown.

    If they are equal, the field has not changed, so that the form does not undo a change made meanwhile.
    """

    number: str = ""
    unit: str = "days"
    shown: str = ""

    @property
    def seconds(self) -> int | None:
        """The duration in seconds, or None if the box is empty.

        Raises: forms.ValidationError.
        """
        number = self.number.strip()
        if not number:
            return None
        if not number.isascii() or not number.isdecimal() or self.unit not in UNITS:
            raise forms.ValidationError("Enter a whole number.")
        return min(int(number[:MAX_DIGITS]) * UNITS[self.unit][1], MAX_BIGINT)

    @property
    def has_changed(self) -> bool:
        return self.shown != ("" if self.seconds is None else str(self.seconds))


MAX_DIGITS = 18


def length_of(seconds: int | None, *, unit: str = "days") -> Length:
    """Return the duration in the largest unit that gives a whole number; without one, an empty box with `unit`."""
    if seconds is None:
        return Length(unit=unit)
    fitting = next(name for name, (_, size) in UNITS.items() if seconds % size == 0)
    return Length(str(seconds // UNITS[fitting][1]), fitting, str(seconds))


def duration_in_words(seconds: int) -> str:
    """Return the duration as words. Examples: "1 day", "36 hours"."""
    length = length_of(seconds)
    return f"{length.number} {length.unit.removesuffix('s') if length.number == '1' else length.unit}"


class LengthWidget(forms.Widget):
    template_name = "admin/participants/length.html"

    def __init__(self, *, unit: str) -> None:
        super().__init__()
        self.unit = unit

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Length:
        return Length(data.get(name, ""), data.get(f"{name}-unit", self.unit), data.get(f"{name}-shown", ""))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        length = value if isinstance(value, Length) else length_of(value, unit=self.unit)
        context = super().get_context(name, None, attrs)
        context["widget"] |= {"length": length, "units": {unit: text for unit, (text, _) in UNITS.items()}}
        return context


class LengthField(forms.Field):
    """Form field. Its cleaned value is in seconds, or None if it is empty; then `unit` is preselected."""

    submits_shown_value = True

    def __init__(self, *, unit: str, **kwargs: Any) -> None:
        super().__init__(required=False, widget=LengthWidget(unit=unit), **kwargs)

    def in_words(self, value: int | None) -> str | None:
        return None if value is None else duration_in_words(value)

    def clean(self, value: Length) -> int | None:
        return value.seconds

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(data.has_changed)
        except forms.ValidationError:
            return True
