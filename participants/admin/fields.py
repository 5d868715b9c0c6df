"""Form fields that parse the input only. The body of the API validates it, and its messages are shown."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from participants.engine import NOT_A_DAY, NOT_AN_INSTANT, control_character_problem, day_of, decimal_text, instant_of

MAX_REASON = 500
_WITHOUT_SECONDS = re.compile(r"[0-9-]{10}[Tt ][0-9]{2}:[0-9]{2}")


class ColorWidget(UnfoldAdminTextInputWidget):  # type: ignore[misc]  # unfold has no types
    """A text box with a colour picker. The text box is needed for names of colours and for no colour."""

    template_name = "admin/participants/color.html"

    class Media:
        js = ("participants/color.js",)


def suggesting(suggests: str) -> Any:
    """Return a text box that suggests from the list with the id `suggests`."""
    return UnfoldAdminTextInputWidget({"list": suggests, "autocomplete": "off"} if suggests else None)


class LineField(forms.CharField):
    """One line of text. Its cleaned value is None if it is empty. `suggests` is the id of a list of texts on the page."""

    def __init__(self, *, suggests: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("widget", suggesting(suggests))
        kwargs.setdefault("required", False)
        super().__init__(empty_value=None, **kwargs)


class TextField(LineField):
    """Several lines of text. CRLF, which browsers send, becomes LF, so that an untouched text has not changed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget({"rows": 3}), **kwargs)

    def to_python(self, value: Any) -> str | None:
        text: str | None = super().to_python(value)
        return None if text is None else text.replace("\r\n", "\n")


class IntegerField(forms.IntegerField):
    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(required=required, widget=UnfoldAdminIntegerFieldWidget, **kwargs)


class NumberField(forms.FloatField):
    """A number. Its cleaned value is an int if it is whole, as an API client would send it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextInputWidget({"inputmode": "decimal"}), **kwargs)

    def to_python(self, value: Any) -> Any:
        number = super().to_python(value)
        return int(number) if number is not None and number.is_integer() else number

    def prepare_value(self, value: Any) -> Any:
        return f"{value:.15g}" if isinstance(value, float) else value


class MultiplierField(forms.DecimalField):
    """A factor. The body of the API checks its range."""

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(required=required, widget=UnfoldAdminTextInputWidget({"inputmode": "decimal"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return decimal_text(value) if isinstance(value, Decimal) else value


class ReasonField(forms.CharField):
    """One line with the reason for an action."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_REASON, widget=UnfoldAdminTextInputWidget, validators=[check_line], **kwargs)


def checked_by(problem_of: Callable[[str], str | None]) -> Callable[[str], None]:
    """Return a validator of form fields for a rule of the engine, which returns why a text is refused, or None."""

    def check(value: str) -> None:
        if problem := problem_of(value):
            raise forms.ValidationError(problem)

    return check


check_line = checked_by(control_character_problem)


class SwitchField(forms.BooleanField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=UnfoldBooleanSwitchWidget, **kwargs)


class ChoiceField(forms.ChoiceField):
    def __init__(
        self, *, choices: Iterable[tuple[str, str]] | Callable[[], Iterable[tuple[str, str]]], **kwargs: Any
    ) -> None:
        super().__init__(
            choices=choices if callable(choices) else list(choices), widget=UnfoldAdminSelectWidget, **kwargs
        )


class _ListField(forms.Field):
    """Several texts in one box. Blank texts are dropped."""

    separator: str
    shown_separator: str

    def to_python(self, value: Any) -> list[str]:
        text = (value or "").replace("\r\n", "\n")
        return [part.strip() for part in text.split(self.separator) if part.strip()]

    def prepare_value(self, value: Any) -> Any:
        return self.shown_separator.join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != self.to_python(self.prepare_value(initial or []))


class WordsField(_ListField):
    """Texts separated by commas. `suggests` as in LineField; the script of editors suggests for each text."""

    separator, shown_separator = ",", ", "

    def __init__(self, *, suggests: str = "", **kwargs: Any) -> None:
        widget = suggesting(suggests)
        widget.attrs |= {"data-suggests": suggests} if suggests else {}
        super().__init__(required=False, widget=widget, **kwargs)


class LinesField(_ListField):
    """Texts separated by line breaks."""

    separator = shown_separator = "\n"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=UnfoldAdminTextareaWidget({"rows": 5}), **kwargs)


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__({**UnfoldAdminTextInputWidget().attrs, "step": "1"}, format="%Y-%m-%dT%H:%M:%S")


class MomentField(forms.DateTimeField):
    """A date and time in UTC in one box, parsed as the API parses instants."""

    default_error_messages = {"invalid": NOT_AN_INSTANT}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=MomentInput, **kwargs)

    def to_python(self, value: Any) -> datetime | None:
        return _instant(self, value.strip()) if isinstance(value, str) and value.strip() else super().to_python(value)


class DayField(forms.DateField):
    """A date as `YYYY-MM-DD`, the format that date inputs of browsers send."""

    default_error_messages = {"invalid": NOT_A_DAY}

    def to_python(self, value: Any) -> date | None:
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        day = day_of(value.strip())
        if day is None:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class _TimeField(forms.TimeField):
    """A time of day in the format of instants. Seconds are optional."""

    default_error_messages = {"invalid": "Must be a time of day, such as 10:00 or 10:00:00."}

    def to_python(self, value: Any) -> time | None:
        if not isinstance(value, str) or not value.strip():
            return super().to_python(value)
        return _instant(self, f"2000-01-01T{value.strip()}").time()


class SplitMomentField(forms.SplitDateTimeField):
    """A date and time in UTC in two boxes."""

    def __init__(self, *, label: str, help_text: str) -> None:
        super().__init__(label=label, required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text=help_text)
        self.fields = (DayField(required=False), _TimeField(required=False))


def _instant(field: forms.Field, text: str) -> datetime:
    """Parse `text` as an instant. Seconds are optional, because browsers omit them if they are 0.

    Raises: forms.ValidationError with the `invalid` message of `field`.
    """
    instant = instant_of(f"{text}:00" if _WITHOUT_SECONDS.fullmatch(text) else text)
    if instant is None:
        raise forms.ValidationError(field.error_messages["invalid"], code="invalid")
    return instant


def without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` without None and empty lists."""
    return {name: value for name, value in values.items() if value not in (None, [])}
