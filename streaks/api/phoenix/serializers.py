"""Bodies and answers about streaks, in the Phoenix dialect."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.drainage import set_override
from rest_framework import serializers

from gamify.facts.definitions import ConditionBody, message_endings
from participants.api.scalars import TextField
from participants.api.warnings import warnings_field
from participants.models import Tenant
from streaks.definitions import Config, model_of_config
from streaks.definitions.config import MilestoneBody, Window
from streaks.models import Status, Streak
from streaks.selectors.definitions import StreakWithTenant
from streaks.selectors.progress import StreakProgress

MAX_NAME = 255
MAX_DESCRIPTION = 2000
STATUSES = [Status.ACTIVE.value, Status.PAUSED.value, Status.ARCHIVED.value]
NOT_ALPHANUMERIC = "must be alphanumeric; spaces, hyphens and underscores are allowed"


# --- bodies -----------------------------------------------------------------------------------------------------------


class StreakNameField(TextField):
    """A name of letters (with their combining marks) and digits of any script, spaces, hyphens and underscores."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=MAX_NAME,
            error_messages=message_endings(),
            help_text="1 to 255 letters, digits, spaces, hyphens and underscores. Unique among streaks that are not archived.",
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        has_letter = any(_is_letter_or_digit(character) for character in name)
        if name and not (has_letter and all(_may_be_in_a_name(character) for character in name)):
            raise serializers.ValidationError(NOT_ALPHANUMERIC)
        return name


def _is_letter_or_digit(character: str) -> bool:
    category = unicodedata.category(character)
    return category.startswith("L") or category == "Nd"


def _may_be_in_a_name(character: str) -> bool:
    return character in " -_" or _is_letter_or_digit(character) or unicodedata.category(character).startswith("M")


class DescriptionField(TextField):
    def __init__(self) -> None:
        super().__init__(
            max_length=MAX_DESCRIPTION,
            required=False,
            allow_null=True,
            allow_blank=True,
            error_messages=message_endings(),
            help_text="What it is for, or null.",
        )


class NewPhoenixStreak(serializers.Serializer[Any]):
    name = StreakNameField()
    description = DescriptionField()
    config = Config(help_text="The whole configuration.")


class PhoenixStreakChanges(serializers.Serializer[Any]):
    """A change of a streak. Fields that are left out do not change. A configuration is replaced as a whole."""

    name = StreakNameField(required=False)
    description = DescriptionField()
    config = Config(required=False, help_text="The whole configuration. It replaces the old one.")


class StatusBody(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        choices=STATUSES,
        error_messages=message_endings(invalid_choice="must be active, paused or archived", blank="cannot be empty"),
        help_text="`active`; `paused`: nothing ticks and nothing breaks; `archived`: out of use, but its data stays.",
    )


def model_fields(body: Mapping[str, Any], *, tenant: Tenant, row: Streak | None = None) -> dict[str, Any]:
    """Convert a validated body to fields of the model. `row` is the streak that is changed, if any."""
    fields = {name: body[name] for name in ("name", "description") if name in body}
    if "config" in body:
        fields |= model_of_config(body["config"], tenant_zone=tenant.timezone, row=row)
    return fields


# --- answers ----------------------------------------------------------------------------------------------------------


class InstantField(serializers.DateTimeField):
    """An instant with milliseconds, the precision of this dialect."""

    def to_representation(self, value: datetime) -> str:
        milliseconds = value.microsecond // 1000 * 1000
        return str(super().to_representation(value.replace(microsecond=milliseconds))).replace("000Z", "Z")


class ConfigPart(serializers.ReadOnlyField):
    """A part of a configuration, as it is stored. Its schema is that of `body`, which sets it."""

    def __init__(self, body: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        set_override(self, "field", body)


class StreakRecord(serializers.Serializer[StreakWithTenant]):
    id = serializers.UUIDField(source="row.id", help_text="Id of the definition.")
    tenant_id = serializers.CharField(source="tenant.slug", help_text="Slug of the tenant.")
    name = serializers.CharField(source="row.name", help_text="Its name, for people.")
    description = serializers.CharField(source="row.description", allow_null=True, help_text="What it is for, or null.")
    status = serializers.ChoiceField(choices=STATUSES, help_text="`active`, `paused` or `archived`.")
    config = ConfigPart(Config, help_text="The whole configuration.")
    created_at = InstantField(source="row.created_at", help_text="When it was created.")
    updated_at = InstantField(source="row.updated_at", help_text="When it was last changed.")
    warnings = warnings_field()


class StreakRecords(serializers.Serializer[Any]):
    definitions = StreakRecord(many=True, help_text="The definitions.")


class SumField(serializers.FloatField):
    """A number with all its digits: DRF's own field would convert a Decimal to a float."""

    def to_representation(self, value: Any) -> Any:
        return value


class WindowProgress(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Events in this window.")
    sum = SumField(help_text="Their sum, for a `sum` condition.")
    distinct = serializers.ListField(
        child=serializers.JSONField(), help_text="Their different values, for a `distinct` condition."
    )


class StreakProgressAnswer(serializers.Serializer[StreakProgress]):
    id = serializers.UUIDField(source="status.row.id", help_text="Id of this user's record in this streak.")
    definition_id = serializers.UUIDField(source="status.streak.id", help_text="Id of the definition.")
    definition_name = serializers.CharField(source="status.streak.name", help_text="Its name, for people.")
    tenant_id = serializers.CharField(source="tenant.slug", help_text="Slug of the tenant.")
    user_id = serializers.CharField(source="status.participant.external_id", help_text="Your user identifier.")
    current_count = serializers.IntegerField(
        source="status.streak_status.current", help_text="Satisfied windows of the live run; 0 if the streak is broken."
    )
    longest_count = serializers.IntegerField(
        source="status.streak_status.longest", help_text="Satisfied windows of the longest run ever."
    )
    at_risk = serializers.BooleanField(source="status.streak_status.is_at_risk", help_text="Alive, but about to break.")
    current_window_key = serializers.CharField(
        allow_null=True,
        help_text="`2025-12-23`, `2025-W52`, `2025-12`, `2025-12-23T14`, or the start of a rolling window. Null if no rolling "
        "window is open.",
    )
    current_window_progress = WindowProgress(help_text="Progress of this user in the open window.")
    current_window_satisfied = serializers.BooleanField(
        source="status.streak_status.is_satisfied", help_text="Whether the open window is satisfied."
    )
    last_activity_at = InstantField(
        source="status.last_activity_at", help_text="Timestamp of the latest qualifying event."
    )
    seconds_until_window_close = serializers.IntegerField(
        allow_null=True, help_text="Whole seconds. Null if no rolling window is open."
    )
    next_milestone = serializers.IntegerField(allow_null=True, help_text="The next threshold. Null if all are earned.")
    earned_milestones = serializers.ListField(
        child=serializers.IntegerField(), help_text="Thresholds that this user has unlocked."
    )
    window = ConfigPart(Window, source="config.window", help_text="As configured.")
    condition = ConfigPart(ConditionBody, source="config.condition", help_text="As configured.")
    milestones = ConfigPart(MilestoneBody(many=True), source="config.milestones", help_text="As configured.")
    definition_config = ConfigPart(Config, source="config", help_text="The whole configuration.")


class StreakProgressList(serializers.Serializer[Any]):
    streaks = StreakProgressAnswer(
        many=True, help_text="One entry per active or paused streak that the user has ticked."
    )
