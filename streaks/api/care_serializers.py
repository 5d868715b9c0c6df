"""Bodies and answers of pauses, freezes, restores and amnesties."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.api.fields import LineField, NameField
from participants.api.scalars import CalendarDayField, TextField, in_range
from participants.api.warnings import warnings_field
from participants.engine import day_of, instant_of
from participants.profile import AnyField
from streaks.api.serializers import StreakAnswer

MAX_REASON = 500
MAX_CODES = 500


@extend_schema_field({"type": "string", "examples": ["2026-02-14", "2026-02-14T10:00:00Z"]})
class MomentField(serializers.Field[Any, Any, Any, Any]):
    """A date, or a date and a time. UTC if it has no offset."""

    default_error_messages = {
        "invalid": "Must be a date, such as 2026-02-14, or a date and a time as in RFC 3339, such as 2026-02-14T10:00:00Z."
    }

    def to_internal_value(self, data: Any) -> date | datetime:
        moment = (day_of(data) or instant_of(data)) if isinstance(data, str) else None
        if moment is None:
            self.fail("invalid")
        return in_range(moment)

    def to_representation(self, value: Any) -> Any:
        return value


def with_from(fields: Mapping[str, AnyField], begin: AnyField) -> dict[str, AnyField]:
    """Insert the field `from` before `to`. A class attribute cannot be named `from`, a keyword of Python."""
    pairs = list(fields.items())
    index = list(fields).index("to")
    return dict([*pairs[:index], ("from", begin), *pairs[index:]])


class ReasonBody(serializers.Serializer[Any]):
    reason = LineField(max_length=MAX_REASON, help_text="The reason, which is stored.")


class FreezeBody(ReasonBody):
    to = MomentField(required=False, allow_null=True, help_text="End. A date is included.")

    def get_fields(self) -> dict[str, AnyField]:
        begin = MomentField(required=False, allow_null=True, help_text="Begin. Default: now.")
        return with_from(super().get_fields(), begin)


class AmnestyBody(ReasonBody):
    name = NameField()
    to = CalendarDayField(source="to_on", help_text="Last date, included.")
    timezone = TextField(
        required=False, allow_null=True, help_text="IANA zone of the dates. Default: your tenant's zone."
    )
    streak_codes = serializers.ListField(
        child=TextField(),
        required=False,
        allow_null=True,
        allow_empty=False,
        max_length=MAX_CODES,
        help_text="Which streaks; null for all.",
    )

    def get_fields(self) -> dict[str, AnyField]:
        return with_from(super().get_fields(), CalendarDayField(source="from_on", help_text="First date."))


class Touches(serializers.Serializer[Any]):
    """The number of affected participants."""

    participants = serializers.IntegerField(help_text="Participants who have ever ticked.")
    alive = serializers.IntegerField(help_text="Participants with a live run.")
    at_risk = serializers.IntegerField(help_text="Participants with a run at risk.")


@extend_schema_field(Touches)
class TouchesField(serializers.ReadOnlyField):
    """The numbers in the serializer's context under `touches`."""

    def __init__(self) -> None:
        super().__init__(source="*", help_text="The number of affected participants.")

    def to_representation(self, value: Any) -> Mapping[str, int]:
        return asdict(self.context["touches"])


class TouchedStreak(StreakAnswer):
    touches = TouchesField()


class AmnestyAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True, help_text="Id of the amnesty; null after a dry run.")
    name = serializers.CharField(help_text="Its name, for people.")
    to = serializers.DateField(source="to_on", help_text="Last date, included.")
    timezone = serializers.CharField(help_text="IANA zone of the dates.")
    streak_codes = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Which streaks; null for all."
    )
    reason = serializers.CharField(help_text="The reason.")
    created_at = serializers.DateTimeField(allow_null=True, help_text="When it was declared; null after a dry run.")
    undone_at = serializers.DateTimeField(allow_null=True, help_text="When it was undone, or null.")

    def get_fields(self) -> dict[str, AnyField]:
        return with_from(super().get_fields(), serializers.DateField(source="from_on", help_text="First date."))


class TouchedAmnesty(AmnestyAnswer):
    warnings = warnings_field()
    touches = TouchesField()
