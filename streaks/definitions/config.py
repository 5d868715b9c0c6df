"""A streak's configuration as Phoenix has it, and as the console's form makes it (contract §10).

Messages are the ends of sentences: a client reads `config: event_types cannot be empty`.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.facts.definitions import Body, ConditionBody, EventTypesField, ExpressionField, message_endings
from participants.api.scalars import FlagField, IdField, PatternField, TextField, WholeNumberField
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
    """When periods begin: on a calendar, or at a participant's first activity."""

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
        help_text="Of calendar windows.",
    )
    timezone = TextField(
        required=False,
        error_messages=message_endings(),
        help_text="IANA name, or `participant` for the zone of each participant; the tenant's when left out.",
    )
    reset_time = PatternField(
        r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        required=False,
        error_messages=message_endings(invalid="must be a time such as 04:00"),
        help_text="When windows begin, HH:MM; of hourly windows the minutes count.",
    )
    week_start = serializers.ChoiceField(
        choices=WEEKDAYS,
        required=False,
        error_messages=message_endings(invalid_choice=f"must be one of {', '.join(WEEKDAYS)}"),
        help_text="Of weekly windows; `monday` when left out.",
    )
    duration_seconds = WholeNumberField(
        min_value=1,
        max_value=MAX_SECONDS,
        required=False,
        error_messages=message_endings(invalid="must be a whole number", max_value=TOO_LONG),
        help_text="Length of rolling windows.",
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
    """A length of the run at which something is given."""

    threshold = WholeNumberField(
        min_value=1,
        max_value=MAX_THRESHOLD,
        error_messages=message_endings(invalid="must be a whole number"),
        help_text="Length.",
    )
    reward_item_id = IdField(
        required=False,
        allow_null=True,
        default=None,
        error_messages=message_endings(invalid="must be the id of a reward"),
        help_text="Id of the reward that is given, or null.",
    )
    repeatable = FlagField(
        default=False,
        error_messages=message_endings(invalid="must be true or false"),
        help_text="Once in each run, instead of once ever.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As it is stored."""
        reward = attrs["reward_item_id"]
        return {**attrs, "reward_item_id": None if reward is None else str(reward)}


class Config(Body):
    """All that a streak does; replaced as a whole."""

    event_types = EventTypesField(allow_empty=False, help_text="Names of the events that tick it; `*` for any.")
    expression = ExpressionField(
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="Which of these events count; null for all.",
    )
    window = Window(error_messages=message_endings(invalid="must be an object"), help_text="Its periods.")
    condition = ConditionBody(required=False, help_text="When a period is satisfied; by one event when left out.")
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
        help_text="How long before it breaks a streak is at risk; a sixth of the period when left out. With 0 it is never "
        "at risk: no read says so, and it is not announced.",
    )

    def validate_milestones(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        thresholds = [milestone["threshold"] for milestone in value]
        if len(set(thresholds)) < len(thresholds):
            raise serializers.ValidationError("thresholds must be unique")
        return value


def model_of_config(config: Mapping[str, Any], *, tenant_zone: str, row: Streak | None = None) -> dict[str, Any]:
    """A validated configuration under the names of the model. `row` is the streak that it replaces that of, if any: one
    that follows the tenant's zone goes on doing so where the zone is named."""
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
    """Validated windows under the names of the model."""
    is_rolling, zone = window["type"] == ROLLING, window.get("timezone")
    follows = row is not None and row.timezone is None and zone == tenant_zone
    return {
        "period": ROLLING if is_rolling else window["period"],
        "duration_seconds": window["duration_seconds"] if is_rolling else None,
        "timezone": None if is_rolling or follows else zone,
        "reset_time": "00:00" if is_rolling else window.get("reset_time", "00:00"),
        "week_start": 0 if is_rolling else WEEKDAYS.index(window.get("week_start", WEEKDAYS[0])),
    }
