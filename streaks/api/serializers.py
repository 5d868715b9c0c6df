"""Bodies and answers about streaks, in the Gamify dialect."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from participants.api.answers import shows
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import BodyKeyField, CodeField, ParticipantIdField
from participants.api.scalars import CalendarDayField, InstantField
from participants.profile import AnyField
from streaks.definitions import StreakChanges
from streaks.models import Streak
from streaks.selectors import ParticipantStreakStatus
from streaks.selectors.configs import filter_of


class RecordBody(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    streak_code = CodeField(help_text="Code of the streak.")
    timestamp = InstantField(
        required=False, allow_null=True, help_text="When it happened. Default: now. UTC if it has no offset."
    )
    idempotency_key = BodyKeyField()


class RecordedAnswer(serializers.Serializer[Any]):
    streak_code = serializers.CharField(help_text="Code of the streak.")
    new_count = serializers.IntegerField(help_text="Length of the run after this tick.")
    is_new_record = serializers.BooleanField(help_text="Whether new_count exceeds the former longest run.")
    longest_count = serializers.IntegerField(help_text="Length of the longest run ever.")
    already_recorded = serializers.BooleanField(help_text="Whether the period was satisfied before this tick.")


class StreakEntry(serializers.Serializer[ParticipantStreakStatus]):
    code = serializers.CharField(source="streak.code", help_text="Code of the streak.")
    name = serializers.CharField(source="streak.name", help_text="Its name, for people.")
    current_count = serializers.IntegerField(
        source="streak_status.current", help_text="Length of the live run; 0 if the streak is broken."
    )
    longest_count = serializers.IntegerField(
        source="streak_status.longest", help_text="Length of the longest run ever."
    )
    last_recorded_at = serializers.DateTimeField(source="last_activity_at", help_text="Timestamp of the latest tick.")
    is_at_risk = serializers.BooleanField(source="streak_status.is_at_risk", help_text="Alive, but about to break.")
    period = serializers.CharField(
        source="streak.period", help_text="The period that must be satisfied again and again."
    )


class StreaksAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    streaks = StreakEntry(many=True, help_text="One entry per active streak that the participant has ticked.")


@shows(StreakChanges)
class StreakAnswer(DefinitionAnswer):
    fact_type = serializers.SerializerMethodField(help_text="The event that ticks it.")
    fact_filter = serializers.SerializerMethodField(
        help_text="Filter on the event's properties. Null if there is none, or if this form cannot express it."
    )
    period = serializers.CharField(help_text="One tick counts in each.")
    grace_period_hours = serializers.IntegerField(source="grace_hours", help_text="grace_periods in hours.")

    def get_fact_type(self, streak: Streak) -> str:
        return ",".join(streak.event_types)

    @extend_schema_field({"type": ["object", "null"]})
    def get_fact_filter(self, streak: Streak) -> dict[str, Any] | None:
        return filter_of(streak)


class CalendarQuery(serializers.Serializer[Any]):
    to = CalendarDayField(required=False, help_text="Last date, included. Default: today.")

    def get_fields(self) -> dict[str, AnyField]:
        return {"from": CalendarDayField(required=False, help_text="First date."), **super().get_fields()}


class CalendarWindow(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="Name of the period, such as 2026-02-14.")
    start = serializers.DateTimeField(help_text="When it begins.")
    end = serializers.DateTimeField(help_text="When it ends.")
    satisfied = serializers.BooleanField(source="is_satisfied", help_text="Whether it is satisfied.")
    excused = serializers.BooleanField(source="is_excused", help_text="Whether it may be missed.")
    grace = serializers.BooleanField(source="is_grace", help_text="Whether it was missed and the run went on.")
    count = serializers.IntegerField(help_text="Length of the run at its end, or now if it is open; 0 without a run.")


class CalendarAnswer(serializers.Serializer[Any]):
    participant_id = ParticipantIdField()
    code = serializers.CharField(source="calendar.streak.code", help_text="Code of the streak.")
    period = serializers.CharField(source="calendar.streak.period", help_text="The period of the streak.")
    timezone = serializers.CharField(source="calendar.timezone", help_text="IANA zone of the dates.")
    windows = CalendarWindow(source="calendar.windows", many=True, help_text="The periods, oldest first.")
