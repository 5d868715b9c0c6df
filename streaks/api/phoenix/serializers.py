"""Bodies and answers about streaks, in the Phoenix dialect."""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
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
    """Letters, with their marks, and digits of any script, spaces, hyphens and underscores."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=MAX_NAME,
            error_messages=message_endings(),
            help_text="Alphanumeric, with spaces, hyphens and underscores, 1 to 255 characters; no other streak's.",
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
    config = Config(help_text="All that it does.")


class PhoenixStreakChanges(serializers.Serializer[Any]):
    """Only what is given changes; a configuration is replaced as a whole."""

    name = StreakNameField(required=False)
    description = DescriptionField()
    config = Config(required=False, help_text="All that it does, replaced as a whole.")


class StatusBody(serializers.Serializer[Any]):
    status = serializers.ChoiceField(
        choices=STATUSES,
        error_messages=message_endings(invalid_choice="must be active, paused or archived", blank="cannot be empty"),
        help_text="`active`; `paused`: nothing ticks and nothing breaks; `archived`: gone, but its data is kept.",
    )


def model_fields(body: Mapping[str, Any], *, tenant: Tenant, row: Streak | None = None) -> dict[str, Any]:
    """A validated body under the names of the model; `row` is the streak that it changes, if any."""
    fields = {name: body[name] for name in ("name", "description") if name in body}
    if "config" in body:
        fields |= model_of_config(body["config"], tenant_zone=tenant.timezone, row=row)
    return fields


# --- answers ----------------------------------------------------------------------------------------------------------


class InstantField(serializers.DateTimeField):
    """To the millisecond, as this dialect tells time."""

    def to_representation(self, value: datetime) -> str:
        milliseconds = value.microsecond // 1000 * 1000
        return str(super().to_representation(value.replace(microsecond=milliseconds))).replace("000Z", "Z")


class StreakRecord(serializers.Serializer[StreakWithTenant]):
    id = serializers.UUIDField(source="row.id", help_text="Its id.")
    tenant_id = serializers.CharField(source="tenant.slug", help_text="Slug of the tenant.")
    name = serializers.CharField(source="row.name", help_text="Its name, for people.")
    description = serializers.CharField(source="row.description", allow_null=True, help_text="What it is for, or null.")
    status = serializers.ChoiceField(choices=STATUSES, help_text="`active`, `paused` or `archived`.")
    config = serializers.SerializerMethodField(help_text="All that it does.")
    created_at = InstantField(source="row.created_at", help_text="When it was created.")
    updated_at = InstantField(source="row.updated_at", help_text="When it was changed last.")
    warnings = warnings_field()

    @extend_schema_field(Config)
    def get_config(self, streak: StreakWithTenant) -> dict[str, Any]:
        return streak.config


class StreakRecords(serializers.Serializer[Any]):
    definitions = StreakRecord(many=True, help_text="The definitions.")


class SumField(serializers.FloatField):
    """A number with all its digits."""

    def to_representation(self, value: Any) -> Any:
        return value


class WindowProgress(serializers.Serializer[Any]):
    count = serializers.IntegerField(help_text="Events in this window.")
    sum = SumField(help_text="What they add up to, for a `sum` condition.")
    distinct = serializers.ListField(
        child=serializers.JSONField(), help_text="The different values among them, for a `distinct` condition."
    )


class StreakProgressAnswer(serializers.Serializer[StreakProgress]):
    id = serializers.UUIDField(source="status.row.id", help_text="Id of this user's record in this streak.")
    definition_id = serializers.UUIDField(source="status.streak.id", help_text="Id of the definition.")
    definition_name = serializers.CharField(source="status.streak.name", help_text="Its name, for people.")
    tenant_id = serializers.CharField(source="tenant.slug", help_text="Slug of the tenant.")
    user_id = serializers.CharField(source="status.participant.external_id", help_text="Your user identifier.")
    current_count = serializers.IntegerField(
        source="status.streak_status.current",
        help_text="Windows satisfied in the run that is alive; 0 where it is broken.",
    )
    longest_count = serializers.IntegerField(
        source="status.streak_status.longest", help_text="Windows satisfied in the longest run ever."
    )
    at_risk = serializers.BooleanField(source="status.streak_status.is_at_risk", help_text="Alive, but about to break.")
    current_window_key = serializers.CharField(
        allow_null=True,
        help_text="`2025-12-23`, `2025-W52`, `2025-12`, `2025-12-23T14`; of rolling windows when it began, null where none runs.",
    )
    current_window_progress = WindowProgress(help_text="What this user's events in the window come to.")
    current_window_satisfied = serializers.BooleanField(
        source="status.streak_status.is_satisfied", help_text="Whether the window counts already."
    )
    last_activity_at = InstantField(source="status.last_activity_at", help_text="The latest qualifying event.")
    seconds_until_window_close = serializers.IntegerField(
        allow_null=True, help_text="Whole seconds; null where no rolling window runs."
    )
    next_milestone = serializers.IntegerField(allow_null=True, help_text="The next threshold; null if all are earned.")
    earned_milestones = serializers.ListField(
        child=serializers.IntegerField(), help_text="Thresholds that this user has unlocked."
    )
    window = serializers.SerializerMethodField(help_text="As configured.")
    condition = serializers.SerializerMethodField(help_text="As configured.")
    milestones = serializers.SerializerMethodField(help_text="As configured.")
    definition_config = serializers.SerializerMethodField(help_text="The configuration as a whole.")

    @extend_schema_field(Window)
    def get_window(self, progress: StreakProgress) -> dict[str, Any]:
        return dict(progress.config["window"])

    @extend_schema_field(ConditionBody)
    def get_condition(self, progress: StreakProgress) -> dict[str, Any]:
        return dict(progress.config["condition"])

    @extend_schema_field(MilestoneBody(many=True))
    def get_milestones(self, progress: StreakProgress) -> list[dict[str, Any]]:
        return list(progress.config["milestones"])

    @extend_schema_field(Config)
    def get_definition_config(self, progress: StreakProgress) -> dict[str, Any]:
        return progress.config


class StreakProgressList(serializers.Serializer[Any]):
    streaks = StreakProgressAnswer(
        many=True, help_text="One entry per active or paused streak that the user has touched."
    )
