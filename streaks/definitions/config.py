"""The body of a streak's configuration, for the Phoenix dialect and the console's form (docs/contract.md §10).

Messages are ends of sentences: a client reads `config: event_types cannot be empty`.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.facts.definitions import Body, ConditionBody, EventTypesField, ExpressionField, message_endings
from participants.api.fields import ReferenceIdField
from participants.api.scalars import FlagField, PatternField, TextField, WholeNumberField
from participants.references import RefersTo
from participants.services.tenants import is_timezone
from streaks.engine.windows import ROLLING, Period
from streaks.models import PARTICIPANT_ZONE, Streak
from streaks.models.definitions import any_tick
from streaks.selectors.configs import WEEKDAYS

MAX_MILESTONES = 100
MAX_THRESHOLD = 1_000_000
MAX_DAYS = 366
MAX_SECONDS = MAX_DAYS * 24 * 3600
TOO_LONG = f"must not be more than {MAX_SECONDS} seconds, {MAX_DAYS} days"
CALENDAR = "calendar"
CALENDAR_PERIODS = [period.value for period in Period]


class Window(Body):
    """When periods begin: on a calendar, or at a participant's first event."""

    type = serializers.ChoiceField(
        choices=[CALENDAR, ROLLING],
        default=CALENDAR,
        error_messages=message_endings(invalid_choice="must be calendar or rolling"),
        help_text="`calendar` or `rolling`.",
    )
    period = serializers.ChoiceField(
        choices=CALENDAR_PERIODS,
        required=False,
        error_messages=message_endings(invalid_choice=f"must be one of {', '.join(CALENDAR_PERIODS)}"),
        help_text="Required for calendar windows.",
    )
    timezone = TextField(
        required=False,
        error_messages=message_endings(),
        help_text="IANA name, or `participant` for the zone of each participant. Default: the tenant's zone.",
    )
    reset_time = PatternField(
        r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        required=False,
        error_messages=message_endings(invalid="must be a time such as 04:00"),
        help_text="Time of day at which windows begin, HH:MM. Hourly windows use only the minutes.",
    )
    week_start = serializers.ChoiceField(
        choices=WEEKDAYS,
        required=False,
        error_messages=message_endings(invalid_choice=f"must be one of {', '.join(WEEKDAYS)}"),
        help_text="First day of weekly windows. Default: `monday`.",
    )
    duration_seconds = WholeNumberField(
        min_value=1,
        max_value=MAX_SECONDS,
        required=False,
        error_messages=message_endings(invalid="must be a whole number", max_value=TOO_LONG),
        help_text="Length of a rolling window in seconds. Required for rolling windows.",
    )

    def validate_timezone(self, value: str) -> str:
        if value != PARTICIPANT_ZONE and not is_timezone(value):
            raise serializers.ValidationError("must be a valid IANA timezone")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        needed = "duration_seconds" if attrs["type"] == ROLLING else "period"
        if needed not in attrs:
            raise serializers.ValidationError({needed: f"is required for {attrs['type']} windows"})
        return attrs


class MilestoneBody(Body):
    """A length of a run that grants a reward."""

    threshold = WholeNumberField(
        min_value=1,
        max_value=MAX_THRESHOLD,
        error_messages=message_endings(invalid="must be a whole number"),
        help_text="Length of the run, in periods.",
    )
    reward_item_id = ReferenceIdField(
        refers_to=RefersTo("reward", is_by_id=True, name_in_file="reward_code"),
        required=False,
        allow_null=True,
        default=None,
        error_messages=message_endings(invalid="must be the id of a reward"),
        help_text="Id of the reward that is granted, or null.",
    )
    repeatable = FlagField(
        default=False,
        error_messages=message_endings(invalid="must be true or false"),
        help_text="Once in each run, instead of once ever.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Convert the id to text, as it is stored."""
        reward = attrs["reward_item_id"]
        return {**attrs, "reward_item_id": None if reward is None else str(reward)}


class Config(Body):
    """The whole configuration of a streak."""

    event_types = EventTypesField(allow_empty=False, help_text="Names of the events that tick it; `*` for any.")
    expression = ExpressionField(
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="Only events that match count; null for all.",
    )
    window = Window(error_messages=message_endings(invalid="must be an object"), help_text="The periods.")
    condition = ConditionBody(required=False, help_text="When a period is satisfied. Default: by one event.")
    milestones = serializers.ListField(
        child=MilestoneBody(),
        required=False,
        max_length=MAX_MILESTONES,
        error_messages=message_endings(),
        help_text="Milestones.",
    )
    at_risk_seconds = WholeNumberField(
        min_value=0,
        max_value=MAX_SECONDS,
        required=False,
        allow_null=True,
        error_messages=message_endings(
            invalid="must be a whole number", min_value="must not be negative", max_value=TOO_LONG
        ),
        help_text="A run is at risk during this time before it breaks, in seconds. Default: a sixth of the period. With 0 it is "
        "never at risk, in no answer and in no announcement.",
    )

    def validate_milestones(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        thresholds = [milestone["threshold"] for milestone in value]
        if len(set(thresholds)) < len(thresholds):
            raise serializers.ValidationError("thresholds must be unique")
        return value


def model_of_config(config: Mapping[str, Any], *, tenant_zone: str, row: Streak | None = None) -> dict[str, Any]:
    """Convert a validated configuration to fields of the model.

    `row` is the streak whose configuration is replaced, if any. If it follows the tenant's zone and the body names that
    zone, it continues to follow it: a configuration that is sent back unchanged must change nothing.
    """
    return {
        "event_types": config["event_types"],
        "fact_filter": None,
        "expression": config.get("expression"),
        "condition": config.get("condition") or any_tick(),
        "milestones": config.get("milestones", []),
        "at_risk_seconds": config.get("at_risk_seconds"),
        **model_of_window(config["window"], tenant_zone=tenant_zone, row=row),
    }


def model_of_window(window: Mapping[str, Any], *, tenant_zone: str, row: Streak | None) -> dict[str, Any]:
    """Convert a validated window to fields of the model. `row` as in `model_of_config`."""
    is_rolling, zone = window["type"] == ROLLING, window.get("timezone")
    follows = row is not None and row.timezone is None and zone == tenant_zone
    return {
        "period": ROLLING if is_rolling else window["period"],
        "duration_seconds": window["duration_seconds"] if is_rolling else None,
        "timezone": None if is_rolling or follows else zone,
        "reset_time": "00:00" if is_rolling else window.get("reset_time", "00:00"),
        "week_start": 0 if is_rolling else WEEKDAYS.index(window.get("week_start", WEEKDAYS[0])),
    }
