"""Bodies and answers of care."""

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
    """A date, or a date and a time; in UTC where no offset is given."""

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
    """`from`, which Python keeps for itself, before `to`."""
    pairs = list(fields.items())
    index = list(fields).index("to")
    return dict([*pairs[:index], ("from", begin), *pairs[index:]])


class ReasonBody(serializers.Serializer[Any]):
    reason = LineField(max_length=MAX_REASON, help_text="Why; it is kept with the streak.")


class FreezeBody(ReasonBody):
    to = MomentField(required=False, allow_null=True, help_text="Until when; a date is included.")

    def get_fields(self) -> dict[str, AnyField]:
        begin = MomentField(required=False, allow_null=True, help_text="From when; now when left out.")
        return with_from(super().get_fields(), begin)


class AmnestyBody(ReasonBody):
    name = NameField()
    to = CalendarDayField(help_text="Last date, included.")
    timezone = TextField(
        required=False, allow_null=True, help_text="IANA zone of the dates; your tenant's when left out."
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
        return with_from(super().get_fields(), CalendarDayField(help_text="First date."))


class Touches(serializers.Serializer[Any]):
    """Whom it concerns."""

    participants = serializers.IntegerField(help_text="Participants who have ever ticked.")
    alive = serializers.IntegerField(help_text="Those of them whose run is alive.")
    at_risk = serializers.IntegerField(help_text="Those of them whose run is about to break.")


class TouchedStreak(StreakAnswer):
    touches = serializers.SerializerMethodField(help_text="Whom it concerns.")

    @extend_schema_field(Touches)
    def get_touches(self, streak: Any) -> Mapping[str, int]:
        return asdict(self.context["touches"])


class AmnestyAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True, help_text="Its id, by which it is undone; null after a dry run.")
    name = serializers.CharField(help_text="Its name, for people.")
    to = serializers.DateField(source="to_on", help_text="Last date, included.")
    timezone = serializers.CharField(help_text="IANA zone of the dates.")
    streak_codes = serializers.ListField(
        child=serializers.CharField(), allow_null=True, help_text="Which streaks; null for all."
    )
    reason = serializers.CharField(help_text="Why.")
    created_at = serializers.DateTimeField(allow_null=True, help_text="When it was declared; null after a dry run.")
    undone_at = serializers.DateTimeField(allow_null=True, help_text="When it was undone, or null.")

    def get_fields(self) -> dict[str, AnyField]:
        return with_from(super().get_fields(), serializers.DateField(source="from_on", help_text="First date."))


class TouchedAmnesty(AmnestyAnswer):
    warnings = warnings_field()
    touches = serializers.SerializerMethodField(help_text="Whom it concerns.")

    @extend_schema_field(Touches)
    def get_touches(self, amnesty: Any) -> Mapping[str, int]:
        return asdict(self.context["touches"])
