"""The bodies of streaks in the Gamify dialect."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.facts.definitions import MAX_EVENT_TYPE, MAX_EVENT_TYPES, FilterField
from participants.api.definitions import DefinitionChanges
from participants.api.fields import LineField, NameField, NewCodeField, WebAddressField
from participants.api.scalars import FlagField, WholeNumberField
from streaks.engine.windows import PERIOD_NAMES, ROLLING, Period
from streaks.models import Streak
from streaks.models.definitions import SECONDS_PER_HOUR
from streaks.selectors.configs import filter_of

MAX_GRACE = 1_000
MAX_FACT_TYPE = MAX_EVENT_TYPES * (MAX_EVENT_TYPE + 1)


class FactTypeField(LineField):
    """One event type, or several joined by commas, as answers contain them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_length=1, max_length=MAX_FACT_TYPE, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and any(len(name) > MAX_EVENT_TYPE for name in event_types(value)):
            raise serializers.ValidationError(f"Ensure each event type has no more than {MAX_EVENT_TYPE} characters.")
        return value


class StreakChanges(DefinitionChanges):
    """A change of a streak. Fields that are left out do not change."""

    fact_type = FactTypeField(required=False, help_text="Event that ticks it; * for any.")
    fact_filter = FilterField(required=False, allow_null=True, help_text="Filter on the event's properties.")
    period = serializers.ChoiceField(choices=PERIOD_NAMES, required=False, help_text="One tick counts in each.")
    grace_periods = WholeNumberField(
        min_value=0, max_value=MAX_GRACE, required=False, help_text="Periods that may be missed in a row."
    )
    grace_period_hours = WholeNumberField(
        min_value=0,
        max_value=MAX_GRACE * 24,
        required=False,
        help_text="The same in hours, rounded up to whole periods. Ignored if grace_periods is given.",
    )
    reset_on_miss = FlagField(required=False, help_text="Whether a longer miss resets the count.")
    icon_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    color = LineField(max_length=20, required=False, allow_null=True, allow_blank=True, help_text="Such as #0891B2.")

    def validate_period(self, value: str) -> str:
        """Accept `rolling` only for a streak that is rolling. Creating one needs a length, and this dialect has no field for it."""
        if value == ROLLING and not getattr(self.instance, "is_rolling", False):
            raise serializers.ValidationError("Rolling streaks are defined in the Phoenix dialect or in the console.")
        return value


class NewStreak(StreakChanges):
    code = NewCodeField()
    name = NameField()


def event_types(fact_type: str) -> list[str]:
    """Split `fact_type` at commas."""
    return list(dict.fromkeys(name.strip() for name in fact_type.split(",") if name.strip())) or [fact_type]


def model_changes(data: Mapping[str, Any], *, row: Streak | None = None) -> dict[str, Any]:
    """Convert validated data to fields of the model. `row` is the streak that is changed, if any."""
    changes = dict(data)
    hours = changes.pop("grace_period_hours", None)
    if hours is not None:
        changes.setdefault("grace_periods", _periods(hours, changes, row))
    if "fact_type" in changes:
        changes["event_types"] = event_types(changes.pop("fact_type"))
    if "period" in changes and changes["period"] != ROLLING:
        changes["duration_seconds"] = None
    if "fact_filter" in changes:
        changes |= _filter(changes.pop("fact_filter"), row)
    return changes


def _periods(hours: int, changes: Mapping[str, Any], row: Streak | None) -> int:
    """Convert hours of grace to whole periods, rounded up: 24 hours of a daily streak are 1."""
    period = changes.get("period", row.period if row else Period.DAILY)
    if period == ROLLING:
        assert row is not None, "rolling streaks have a length"  # noqa: S101
        return -(-hours * SECONDS_PER_HOUR // (row.duration_seconds or SECONDS_PER_HOUR))
    return -(-hours // Period(period).rules.hours)


def _filter(given: Mapping[str, Any] | None, row: Streak | None) -> dict[str, Any]:
    """The fields for a filter. Null changes nothing if the row's filter is shown as null because the short form cannot express it."""
    if given is None and row is not None and row.expression is not None and filter_of(row) is None:
        return {}
    return {"fact_filter": given or None, "expression": None}
