"""A streak's configuration as Phoenix has it, and as the console's form makes it (contract §10).

Messages are the ends of sentences: a client reads `config: event_types cannot be empty`.
"""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.facts.engine.expressions import expression_problem
from gamify.facts.engine.fields import field_problem
from participants.api.fields import ObjectField, WholeNumberField
from participants.engine import control_character_problem
from participants.errors import FieldError
from participants.services.tenants import is_timezone
from streaks.engine.conditions import MAX_DISTINCT, Kind
from streaks.models import PARTICIPANT_ZONE, PeriodChoice, Streak
from streaks.models.definitions import any_tick
from streaks.selectors.configs import WEEKDAYS

MAX_EVENT_TYPE = 100
MAX_EVENT_TYPES = 50
MAX_MILESTONES = 100
MAX_THRESHOLD = 1_000_000
MAX_MINIMUM = {Kind.COUNT: 1_000_000, Kind.DISTINCT: MAX_DISTINCT, Kind.SUM: 10**15}
MAX_DAYS = 366
MAX_SECONDS = MAX_DAYS * 24 * 3600
TOO_LONG = f"must not be more than {MAX_SECONDS} seconds, {MAX_DAYS} days"
CALENDAR, ROLLING = "calendar", "rolling"
CALENDAR_PERIODS = [period.value for period in PeriodChoice if period is not PeriodChoice.ROLLING]

_WORDS = {
    "required": "is required",
    "null": "cannot be null",
    "blank": "cannot be empty",
    "empty": "cannot be empty",
    "invalid": "is not valid",
    "not_a_list": "must be a list",
    "not_an_object": "must be an object",
    "min_value": "must be positive",
    "max_value": "must not be more than {max_value}",
    "max_length": "must not be longer than {max_length}",
}


def words(**more: str) -> dict[str, Any]:
    """Error messages that end a sentence which begins with the field."""
    return _WORDS | more


class _Object(serializers.Serializer[Any]):
    """A part of a configuration; what is no object is refused in the words of the others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", words(invalid="must be an object"))
        super().__init__(*args, **kwargs)


class EventTypeField(serializers.CharField):
    def __init__(self) -> None:
        too_long = "must not be longer than {max_length} characters"
        super().__init__(max_length=MAX_EVENT_TYPE, error_messages=words(max_length=too_long))

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if control_character_problem(value):
            raise serializers.ValidationError("must not contain control characters")
        if "," in value:
            raise serializers.ValidationError("must not contain commas")
        return value


class Window(_Object):
    """When periods begin: on a calendar, or at a participant's first activity."""

    type = serializers.ChoiceField(
        choices=[CALENDAR, ROLLING],
        default=CALENDAR,
        error_messages=words(invalid_choice="must be calendar or rolling"),
        help_text="`calendar` or `rolling`.",
    )
    period = serializers.ChoiceField(
        choices=CALENDAR_PERIODS,
        required=False,
        error_messages=words(invalid_choice=f"must be one of {', '.join(CALENDAR_PERIODS)}"),
        help_text="Of calendar windows.",
    )
    timezone = serializers.CharField(
        required=False,
        error_messages=words(),
        help_text="IANA name, or `participant` for the zone of each participant; the tenant's when left out.",
    )
    reset_time = serializers.RegexField(
        r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        required=False,
        error_messages=words(invalid="must be a time such as 04:00"),
        help_text="When windows begin, HH:MM; of hourly windows the minutes count.",
    )
    week_start = serializers.ChoiceField(
        choices=WEEKDAYS,
        required=False,
        error_messages=words(invalid_choice=f"must be one of {', '.join(WEEKDAYS)}"),
        help_text="Of weekly windows; `monday` when left out.",
    )
    duration_seconds = WholeNumberField(
        min_value=1,
        max_value=MAX_SECONDS,
        required=False,
        error_messages=words(invalid="must be a whole number", max_value=TOO_LONG),
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


@extend_schema_field({"type": "number", "exclusiveMinimum": 0})
class NumberField(serializers.Field[Any, Any, Any, Any]):
    """A JSON number, as it came."""

    def to_internal_value(self, data: Any) -> int | float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError("must be a number")
        if data <= 0:
            raise serializers.ValidationError("must be positive")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class ConditionBody(_Object):
    """When a window is satisfied."""

    type = serializers.ChoiceField(
        choices=[kind.value for kind in Kind],
        error_messages=words(invalid_choice="must be count, sum or distinct"),
        help_text="`count` events, the `sum` of a field, or its `distinct` values.",
    )
    min = NumberField(error_messages=words(), help_text="How many, or how much, at least.")
    field = serializers.CharField(
        required=False, allow_null=True, error_messages=words(), help_text="Dotted path, such as `attrs.points`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind, minimum = Kind(attrs["type"]), attrs["min"]
        if kind is not Kind.SUM and minimum != int(minimum):
            raise serializers.ValidationError({"min": "must be a whole number"})
        if minimum > MAX_MINIMUM[kind]:
            raise serializers.ValidationError({"min": f"must not be more than {MAX_MINIMUM[kind]}"})
        if kind is Kind.COUNT:
            return {"type": attrs["type"], "min": minimum}
        if problem := field_problem(attrs.get("field")):
            raise serializers.ValidationError({"field": problem})
        return attrs


class MilestoneBody(_Object):
    """A length of the run at which something is given."""

    threshold = WholeNumberField(
        min_value=1,
        max_value=MAX_THRESHOLD,
        error_messages=words(invalid="must be a whole number"),
        help_text="Length.",
    )
    reward_item_id = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        error_messages=words(invalid="must be the id of a reward"),
        help_text="Id of the reward that is given, or null.",
    )
    repeatable = serializers.BooleanField(
        default=False,
        error_messages=words(invalid="must be true or false"),
        help_text="Once in each run, instead of once ever.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As it is stored."""
        reward = attrs["reward_item_id"]
        return {**attrs, "reward_item_id": None if reward is None else str(reward)}


def refusal_of(problem: FieldError) -> serializers.ValidationError:
    """What is wrong inside an expression or a filter, at its path."""
    return serializers.ValidationError({problem.field: [problem.message]} if problem.field else problem.message)


class ExpressionField(ObjectField):
    default_error_messages = {"not_an_object": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        document = super().to_internal_value(data)
        if problem := expression_problem(document):
            raise refusal_of(problem)
        return document


class Config(_Object):
    """All that a streak does; replaced as a whole."""

    event_types = serializers.ListField(
        child=EventTypeField(),
        allow_empty=False,
        max_length=MAX_EVENT_TYPES,
        error_messages=words(),
        help_text="Names of the events that tick it; `*` for any.",
    )
    expression = ExpressionField(
        required=False, allow_null=True, error_messages=words(), help_text="Which of these events count; null for all."
    )
    window = Window(error_messages=words(invalid="must be an object"), help_text="Its periods.")
    condition = ConditionBody(required=False, help_text="When a period is satisfied; by one event when left out.")
    milestones = serializers.ListField(
        child=MilestoneBody(),
        required=False,
        max_length=MAX_MILESTONES,
        error_messages=words(),
        help_text="Milestones.",
    )
    at_risk_seconds = WholeNumberField(
        min_value=1,
        max_value=MAX_SECONDS,
        required=False,
        allow_null=True,
        error_messages=words(invalid="must be a whole number", max_value=TOO_LONG),
        help_text="How long before it breaks a streak is at risk; a sixth of the period when left out.",
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
        "event_types": list(dict.fromkeys(config["event_types"])),
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
        "period": PeriodChoice.ROLLING.value if is_rolling else window["period"],
        "duration_seconds": window["duration_seconds"] if is_rolling else None,
        "timezone": None if is_rolling or follows else zone,
        "reset_time": "00:00" if is_rolling else window.get("reset_time", "00:00"),
        "week_start": 0 if is_rolling else WEEKDAYS.index(window.get("week_start", WEEKDAYS[0])),
    }
