"""What may be said of a streak when it is defined or changed, through the API or in the console."""

from typing import Any

from rest_framework import serializers

from participants.api.definitions import DefinitionChanges
from participants.api.fields import CodeField, LineField, NameField, ObjectField, WebAddressField
from streaks.engine.windows import Period, grace_periods
from streaks.models import PeriodChoice

MAX_GRACE = 1_000
MAX_FACT_TYPE = 100


class StreakChanges(DefinitionChanges):
    """What may be changed of a streak; only what is given changes."""

    fact_type = LineField(
        min_length=1, max_length=MAX_FACT_TYPE, required=False, help_text="Event that ticks it; * for any."
    )
    fact_filter = ObjectField(required=False, allow_null=True, help_text="Filter on the event's properties.")
    period = serializers.ChoiceField(choices=PeriodChoice.choices, required=False, help_text="One tick counts in each.")
    grace_periods = serializers.IntegerField(
        min_value=0, max_value=MAX_GRACE, required=False, help_text="Periods that may be missed in a row."
    )
    grace_period_hours = serializers.IntegerField(
        min_value=0,
        max_value=MAX_GRACE * 24,
        required=False,
        help_text="The same in hours, rounded up to whole periods; grace_periods goes before it.",
    )
    reset_on_miss = serializers.BooleanField(required=False, help_text="Whether a longer miss resets the count.")
    icon_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    color = LineField(max_length=20, required=False, allow_null=True, allow_blank=True, help_text="Such as #0891B2.")


class NewStreak(StreakChanges):
    code = CodeField()
    name = NameField()


def event_types(fact_type: str) -> list[str]:
    """Several event types are shown joined by commas, and taken so."""
    return list(dict.fromkeys(name.strip() for name in fact_type.split(",") if name.strip())) or [fact_type]


def model_changes(data: dict[str, Any], *, period: str) -> dict[str, Any]:
    """Validated data under the names of the model; `period` is that of the streak after the change."""
    changes = dict(data)
    hours = changes.pop("grace_period_hours", None)
    if hours is not None:
        changes.setdefault("grace_periods", grace_periods(hours, period=Period(period)))
    if "fact_type" in changes:
        changes["event_types"] = event_types(changes.pop("fact_type"))
    return changes
