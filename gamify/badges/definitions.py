"""What may be said of a badge when it is defined or changed, through the API or in the console."""

from typing import Any

from rest_framework import serializers

from gamify.badges.engine import BY_EVENTS, EVENT_COUNT, EVENT_SUM
from gamify.badges.models import Rarity
from gamify.facts.definitions import Body, EventTypeField, FilterField, NumberField, message_endings
from gamify.facts.engine.fields import field_problem
from gamify.facts.services import metrics
from participants.api.definitions import DefinitionChanges
from participants.api.fields import LineField, NameField, NewCodeField, WebAddressField
from participants.api.scalars import TextField

MAX_MINIMUM = 10**15
METRICS = (
    "total_earned", "balance", EVENT_COUNT, EVENT_SUM, "streak_count", "tier_level", "challenges_completed", "badges_count",
)  # fmt: skip


class BadgeCriteria(Body):
    """When a badge is earned without anybody giving it."""

    metric = serializers.ChoiceField(
        choices=METRICS,
        error_messages=message_endings(invalid_choice=f"must be one of: {', '.join(METRICS)}"),
        help_text="Which number of the participant is looked at.",
    )
    min = NumberField(error_messages=message_endings(), help_text="What it must come to.")
    event_name = EventTypeField(required=False, help_text="event_count and event_sum: which events count; `*` for any.")
    filter = FilterField(required=False, allow_null=True, help_text="event_count and event_sum: only events like this.")
    field = TextField(
        required=False, error_messages=message_endings(), help_text="event_sum: dotted path of what is added up."
    )
    streak_code = TextField(
        required=False, max_length=50, error_messages=message_endings(), help_text="streak_count: code of the streak."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As it is stored: what belongs to the metric, and nothing else."""
        missing = {"metric", "min"} - attrs.keys()  # a change of a badge replaces its criteria whole
        if missing:
            raise serializers.ValidationError(dict.fromkeys(missing, "is required"))
        metric = attrs["metric"]
        if metric not in BY_EVENTS and metric not in metrics:
            raise serializers.ValidationError({"metric": "is not kept here"})
        needed, allowed = _said_by(metric)
        for name in needed:
            if not attrs.get(name):
                raise serializers.ValidationError({name: f"is required for {metric}"})
        _check_minimum(metric, attrs["min"])
        if metric == EVENT_SUM and (problem := field_problem(attrs["field"])):
            raise serializers.ValidationError({"field": problem})
        return {name: attrs[name] for name in ("metric", "min", *allowed) if attrs.get(name)}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return dict(instance)


def _said_by(metric: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What criteria of a metric must say besides the minimum, and all that they may say."""
    if metric in BY_EVENTS:
        needed = ("event_name", "field") if metric == EVENT_SUM else ("event_name",)
        return needed, (*needed, "filter")
    return tuple(metrics[metric].needs), tuple(metrics[metric].needs)


def _check_minimum(metric: str, minimum: float) -> None:
    if metric != EVENT_SUM and minimum != int(minimum):
        raise serializers.ValidationError({"min": "must be a whole number"})
    if minimum > MAX_MINIMUM:
        raise serializers.ValidationError({"min": f"must not be more than {MAX_MINIMUM}"})


class BadgeChanges(DefinitionChanges):
    icon_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    category = LineField(
        max_length=100, required=False, allow_null=True, allow_blank=True, help_text="A word of yours to sort them by."
    )
    rarity = serializers.ChoiceField(choices=Rarity.choices, required=False, help_text="How rare it is.")
    criteria = BadgeCriteria(
        required=False,
        allow_null=True,
        help_text="When it is earned without anybody giving it; null: it is only given.",
    )


class NewBadge(BadgeChanges):
    code = NewCodeField()
    name = NameField()
