"""Serializer fields for single values that take exactly one JSON type (docs/contract.md §2).

The fields of Django REST framework convert: a number becomes text, `"yes"` becomes true, `1_0` becomes 10. A client that sends the
wrong type has a bug, and must get an error. All bodies and queries use these fields; tests/gamify_project/test_types_api.py
checks that for every operation of the OpenAPI document.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.validators import ProhibitNullCharactersValidator
from rest_framework import serializers
from rest_framework.validators import ProhibitSurrogateCharactersValidator

from participants.engine import NOT_A_DAY, NOT_AN_INSTANT, day_of, instant_of, uuid_of

FIRST_YEAR, LAST_YEAR = 1970, 2199
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,19}(\.[0-9]{1,19})?")


_SLOW = (ProhibitNullCharactersValidator, ProhibitSurrogateCharactersValidator)
_REFUSE = [each() for each in _SLOW]


def _storable(text: str) -> None:
    """Refuse what the two validators of `_SLOW` refuse. They look at each character in Python; most texts need no such look."""
    if not text.isascii() or "\x00" in text:
        for refuse in _REFUSE:
            refuse(text)


class TextField(serializers.CharField):
    """A JSON string. Numbers are refused: 1 and 1.0 are equal, but as text they would be two different names."""

    default_error_messages = {"not_text": "Must be a string."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.validators = [each for each in self.validators if not isinstance(each, _SLOW)]
        self.validators.append(_storable)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        return super().to_internal_value(data)


class PatternField(TextField, serializers.RegexField):
    """A JSON string that must match a regular expression."""


class WholeNumberField(serializers.IntegerField):
    """A JSON number without a fraction, or a string of ASCII digits with an optional sign."""

    def to_internal_value(self, data: Any) -> int:
        is_integer = isinstance(data, int) and not isinstance(data, bool)
        if not is_integer and not (isinstance(data, str) and _INTEGER.fullmatch(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class FractionField(serializers.DecimalField):
    """A JSON number, or a string of ASCII digits with an optional sign and fraction."""

    def to_internal_value(self, data: Any) -> Any:
        is_number = isinstance(data, int | float | Decimal) and not isinstance(data, bool)
        if not is_number and not (isinstance(data, str) and _DECIMAL.fullmatch(data)):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """JSON true or false."""

    default_error_messages = {"invalid": "Must be true or false."}
    default_empty_html = serializers.empty  # a missing query parameter does not mean false

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class SwitchField(FlagField):
    """`true` or `false` in a query string."""

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value({"true": True, "false": False}.get(str(data)))


class IdField(serializers.UUIDField):
    """A UUID in its usual form, with hyphens."""

    def to_internal_value(self, data: Any) -> UUID:
        value = uuid_of(data) if isinstance(data, str) else None
        if value is None:
            self.fail("invalid", value=data)
        return value


class InstantField(serializers.DateTimeField):
    """A date and time as in RFC 3339, or a datetime object from a form of the console."""

    default_error_messages = {"invalid": NOT_AN_INSTANT}

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, datetime):
            return super().to_internal_value(value)
        instant = instant_of(value) if isinstance(value, str) else None
        if instant is None:
            self.fail("invalid")
        return instant


class CalendarInstantField(InstantField):
    """An instant in a year from 1970 to 2199, which calendars and time zones can compute with."""

    def to_internal_value(self, value: Any) -> datetime:
        instant = super().to_internal_value(value)
        in_range(instant)
        return instant


class DayField(serializers.DateField):
    """A date as `YYYY-MM-DD`, or a date object from a form of the console."""

    default_error_messages = {"invalid": NOT_A_DAY}

    def to_internal_value(self, value: Any) -> date:
        if isinstance(value, date):
            return super().to_internal_value(value)
        day = day_of(value) if isinstance(value, str) else None
        if day is None:
            self.fail("invalid")
        return day


class CalendarDayField(DayField):
    """A date in a year that calendars and time zones can compute with."""

    def to_internal_value(self, value: Any) -> date:
        return in_range(super().to_internal_value(value))


def in_range(value: date) -> date:
    """Return `value` unchanged.

    Raises: rest_framework's ValidationError if its year is not from 1970 to 2199.
    """
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise serializers.ValidationError(f"Must be a year from {FIRST_YEAR} to {LAST_YEAR}.")
    return value
