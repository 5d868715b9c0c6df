"""What may be said of a leaderboard when it is defined or changed, through the API or in the console."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers

from gamify.facts.definitions import Body, EventTypeField, FilterField, message_endings
from gamify.facts.engine.fields import field_problem
from gamify.leaderboards.engine.measures import BY_EVENTS, EVENT_SUM, LEVELS, METRICS, OF_STREAKS, POINTS_EARNED
from gamify.leaderboards.engine.periods import CLIENT_KINDS
from participants.api.definitions import DefinitionChanges
from participants.api.fields import NameField, NewCodeField
from participants.api.scalars import TextField

ALL_TIME = "all_time"


class SelectorBody(Body):
    """What of all that happens a board measures."""

    event_name = EventTypeField(
        required=False, allow_null=True, help_text="event_count and event_sum: which events count; any when left out."
    )
    filter = FilterField(required=False, allow_null=True, help_text="event_count and event_sum: only events like this.")
    field = TextField(
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="event_sum: dotted path of what is added up.",
    )
    streak_code = TextField(
        required=False,
        allow_null=True,
        max_length=50,
        error_messages=message_endings(),
        help_text="streak_current and streak_longest: code of the streak.",
    )

    def validate_field(self, value: str | None) -> str | None:
        if value is not None and (problem := field_problem(value)):
            raise serializers.ValidationError(problem)
        return value

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Without what is not said; a change replaces a selector whole."""
        return {name: value for name, value in super().to_internal_value(data).items() if value}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return dict(instance)


class LeaderboardChanges(DefinitionChanges):
    initial_values: ClassVar[Mapping[str, Any]] = {"metric": POINTS_EARNED, "time_window": ALL_TIME}

    metric = serializers.ChoiceField(choices=METRICS, required=False, help_text="What it ranks by.")
    selector = SelectorBody(required=False, allow_null=True, help_text="Which events or which streak it looks at.")
    time_window = serializers.ChoiceField(
        choices=list(CLIENT_KINDS), required=False, help_text="The period shown to who asks for none."
    )
    timezone = TextField(
        max_length=64, required=False, help_text="IANA zone in which its days begin; the tenant's when left out."
    )
    participant_filter = FilterField(
        required=False,
        allow_null=True,
        help_text='Only participants whose attributes are like this, such as `{"city": "Berlin"}`; null for all.',
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is said and what stays must go together."""
        metric = self.after(attrs, "metric")
        window = self.after(attrs, "time_window")
        if metric in LEVELS and window != ALL_TIME:
            raise serializers.ValidationError({"time_window": f"must be {ALL_TIME} for {metric}"})
        if {"metric", "selector"} & attrs.keys() or self.instance is None:
            selector = self.after(attrs, "selector") or {}
            attrs = {**attrs, "metric": metric, "selector": _fitting(metric, selector)}
        return attrs


def _fitting(metric: str, selector: dict[str, Any]) -> dict[str, Any]:
    """As it is stored: what belongs to the metric, and nothing else."""
    needed, allowed = _said_by(metric)
    for name in needed:
        if not selector.get(name):
            raise serializers.ValidationError({"selector": {name: f"is required for {metric}"}})
    return {name: selector[name] for name in allowed if selector.get(name)}


def _said_by(metric: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a selector must say, and all that it may say."""
    if metric in OF_STREAKS:
        return ("streak_code",), ("streak_code",)
    if metric not in BY_EVENTS:
        return (), ()
    return (("field",) if metric == EVENT_SUM else ()), ("event_name", "field", "filter")


class NewLeaderboard(LeaderboardChanges):
    code = NewCodeField()
    name = NameField()
