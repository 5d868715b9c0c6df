"""Request bodies of leaderboards, for the API and the console."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from rest_framework import serializers

from gamify.facts.definitions import Body, EventTypeField, FilterField, MetricField, message_endings
from gamify.facts.engine.fields import field_problem
from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import board_metric_names, board_metrics
from gamify.leaderboards import services
from gamify.leaderboards.engine.periods import CLIENT_KINDS
from gamify.leaderboards.models import DEFAULT_METRIC, Leaderboard
from participants.api.definitions import DefinitionChanges
from participants.api.fields import NameField, NewCodeField, ReferenceCodeField
from participants.api.kinds import DefinitionKind, register_kind
from participants.api.scalars import TextField
from participants.references import RefersTo

ALL_TIME = "all_time"
EVENT_FIELDS = ("event_name", "field", "filter")


class SelectorBody(Body):
    """Which events, or which streak, a leaderboard measures."""

    event_name = EventTypeField(
        required=False, allow_null=True, help_text="event_count and event_sum: which events count. Default: all events."
    )
    filter = FilterField(
        required=False,
        allow_null=True,
        help_text="event_count and event_sum: only events that match this filter count.",
    )
    field = TextField(
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="event_sum: dotted path of the property that is added up.",
    )
    streak_code = ReferenceCodeField(
        refers_to=RefersTo("streak"),
        required=False,
        allow_null=True,
        error_messages=message_endings(),
        help_text="streak_current and streak_longest: code of the streak.",
    )

    def validate_field(self, value: str | None) -> str | None:
        if value is not None and (problem := field_problem(value)):
            raise serializers.ValidationError(problem)
        return value

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Leave out empty values. A change replaces the whole selector."""
        return {name: value for name, value in super().to_internal_value(data).items() if value}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return dict(instance)


class LeaderboardChanges(DefinitionChanges):
    initial_values: ClassVar[Mapping[str, Any]] = {"metric": DEFAULT_METRIC, "time_window": ALL_TIME}

    metric = MetricField(board_metric_names, required=False, help_text="The number that the board ranks by.")
    selector = SelectorBody(
        required=False, allow_null=True, help_text="Which events or which streak the metric looks at."
    )
    time_window = serializers.ChoiceField(
        choices=list(CLIENT_KINDS),
        required=False,
        help_text="The kind of period in answers to requests that name none.",
    )
    timezone = TextField(
        max_length=64, required=False, help_text="IANA time zone in which its days begin. Default: the tenant's."
    )
    participant_filter = FilterField(
        required=False,
        allow_null=True,
        help_text='Ranks only participants whose attributes match, such as `{"city": "Berlin"}`. Null: all participants.',
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the leaderboard as it will be after the change: the given fields together with the stored ones."""
        name = self.after(attrs, "metric")
        window = self.after(attrs, "time_window")
        if board_metrics[name].kind is MetricKind.LEVEL and window != ALL_TIME:
            raise serializers.ValidationError({"time_window": f"must be {ALL_TIME} for {name}"})
        if {"metric", "selector"} & attrs.keys() or self.instance is None:
            selector = self.after(attrs, "selector") or {}
            attrs = {**attrs, "metric": name, "selector": _selector_for(name, selector)}
        return attrs


def _selector_for(name: str, selector: dict[str, Any]) -> dict[str, Any]:
    """The selector as it is stored: only the fields that the metric has. Raises ValidationError if one is missing."""
    metric = board_metrics[name]
    for field in metric.needs:
        if not selector.get(field):
            raise serializers.ValidationError({"selector": {field: f"is required for {name}"}})
    # An event_count may be sent with a `field`, which it does not use. Clients get back what they sent.
    allowed = EVENT_FIELDS if metric.kind.counts_events else metric.selector_fields
    return {field: selector[field] for field in allowed if selector.get(field)}


class NewLeaderboard(LeaderboardChanges):
    code = NewCodeField()
    name = NameField()


def register() -> None:
    register_kind(
        DefinitionKind(
            noun="leaderboard",
            plural="leaderboards",
            model=Leaderboard,
            body=NewLeaderboard,
            create=partial(services.create_leaderboard, checks_references=False),
            update=partial(services.update_leaderboard, checks_references=False),
            tenant_defaults=lambda tenant: {"timezone": tenant.timezone},
        )
    )
