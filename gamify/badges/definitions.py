"""Request bodies of badges, for the API and the console."""

from functools import partial
from typing import Any

from rest_framework import serializers

from gamify.badges import services
from gamify.badges.models import Badge, BadgeAward, Rarity
from gamify.facts.definitions import Body, EventTypeField, FilterField, MetricField, NumberField, message_endings
from gamify.facts.engine.fields import field_problem
from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import Metric, badge_metric_names, badge_metrics
from participants.api.definitions import DefinitionChanges
from participants.api.fields import LineField, NameField, NewCodeField, ReferenceCodeField, WebAddressField
from participants.api.kinds import DefinitionKind, participants_with, register_kind
from participants.api.scalars import TextField
from participants.references import RefersTo

MAX_MINIMUM = 10**15


class BadgeCriteria(Body):
    """When participants earn the badge without a grant."""

    metric = MetricField(badge_metric_names, help_text="Which number of the participant is compared.")
    min = NumberField(error_messages=message_endings(), help_text="The number at which the badge is earned.")
    event_name = EventTypeField(
        required=False, help_text="event_count and event_sum: which events count. `*` means all events."
    )
    filter = FilterField(
        required=False,
        allow_null=True,
        help_text="event_count and event_sum: only events that match this filter count.",
    )
    field = TextField(
        required=False,
        error_messages=message_endings(),
        help_text="event_sum: dotted path of the property that is added up.",
    )
    streak_code = ReferenceCodeField(
        refers_to=RefersTo("streak"),
        required=False,
        error_messages=message_endings(),
        help_text="streak_count: code of the streak.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the criteria as they are stored: only the fields that the metric has."""
        missing = {"metric", "min"} - attrs.keys()  # a change of a badge replaces its whole criteria
        if missing:
            raise serializers.ValidationError(dict.fromkeys(missing, "is required"))
        name = attrs["metric"]
        metric = badge_metrics[name]
        for field in _needed_fields(metric):
            if not attrs.get(field):
                raise serializers.ValidationError({field: f"is required for {name}"})
        _check_minimum(metric, attrs["min"])
        if metric.kind is MetricKind.EVENT_SUM and (problem := field_problem(attrs["field"])):
            raise serializers.ValidationError({"field": problem})
        return {field: attrs[field] for field in ("metric", "min", *metric.selector_fields) if attrs.get(field)}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return dict(instance)


def _needed_fields(metric: Metric) -> tuple[str, ...]:
    """A badge that counts events must name them; `*` names all."""
    return ("event_name", *metric.needs) if metric.kind.counts_events else metric.needs


def _check_minimum(metric: Metric, minimum: float) -> None:
    if metric.kind is not MetricKind.EVENT_SUM and minimum != int(minimum):
        raise serializers.ValidationError({"min": "must be a whole number"})
    if minimum > MAX_MINIMUM:
        raise serializers.ValidationError({"min": f"must not be more than {MAX_MINIMUM}"})


class BadgeChanges(DefinitionChanges):
    icon_url = WebAddressField(required=False, allow_null=True, help_text="An http or https address of a picture.")
    category = LineField(
        max_length=100,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="Your own category, to sort badges by.",
    )
    rarity = serializers.ChoiceField(choices=Rarity.choices, required=False, help_text="How rare the badge is.")
    criteria = BadgeCriteria(
        required=False,
        allow_null=True,
        help_text="When participants earn the badge without a grant. Null: it is only granted.",
    )


class NewBadge(BadgeChanges):
    code = NewCodeField()
    name = NameField()


def register() -> None:
    register_kind(
        DefinitionKind(
            noun="badge",
            plural="badges",
            model=Badge,
            body=NewBadge,
            create=partial(services.create_badge, checks_references=False),
            update=partial(services.update_badge, checks_references=False),
            reach=participants_with(BadgeAward, "badge"),
        )
    )
