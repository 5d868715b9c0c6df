"""An objective and a milestone, each judged by itself. Messages are the ends of sentences that begin with the path."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.challenges.models import ALL
from gamify.facts.definitions import Body, ConditionBody, EventTypesField, ExpressionField, GrantsField, message_endings
from participants.api.fields import MAX_CODE, MAX_NAME, LineField, VisibleLineField
from participants.api.scalars import TextField, WholeNumberField

MAX_OBJECTIVES = 20
MAX_MILESTONES = 20

_TOO_LONG = "must not be longer than {max_length} characters"
_NOT_A_NUMBER = "must be a whole number"


class ReplacedObject(Body):
    """Part of a definition that is replaced whole: a change of the definition, too, must say all of it."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) if self.parent is None else type(self)().run_validation(data)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """As it is stored."""
        return dict(instance)


class ChallengeObjective(ReplacedObject):
    """Something to be done, known by the events that tell of it."""

    code = VisibleLineField(
        max_length=MAX_CODE,
        error_messages=message_endings(max_length=_TOO_LONG),
        help_text="Your code for it, in this challenge.",
    )
    label = LineField(  # type: ignore[assignment]  # a serializer, as a field, has one of its own
        max_length=MAX_NAME,
        error_messages=message_endings(max_length=_TOO_LONG),
        help_text="What it is called, for people.",
    )
    event_types = EventTypesField(allow_empty=False, help_text="Names of the events that advance it; `*` for any.")
    expression = ExpressionField(
        required=False,
        allow_null=True,
        default=None,
        error_messages=message_endings(),
        help_text="Which of these events count; null for all.",
    )
    condition = ConditionBody(required=False, help_text="When it is completed; by one event when left out.")
    prerequisites = serializers.ListField(
        child=TextField(error_messages=message_endings()),
        default=list,
        max_length=MAX_OBJECTIVES,
        error_messages=message_endings(),
        help_text="Codes of the objectives that must be completed before it counts anything.",
    )

    def validate_code(self, value: str) -> str:
        if "," in value:
            raise serializers.ValidationError("must not contain commas")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """As it is stored."""
        condition = attrs.get("condition") or {"type": "count", "min": 1}
        return {**attrs, "condition": condition, "prerequisites": list(dict.fromkeys(attrs["prerequisites"]))}


class ChallengeMilestone(ReplacedObject):
    """What so many completed objectives give, once in each round."""

    objectives = WholeNumberField(
        min_value=1,
        max_value=MAX_OBJECTIVES,
        error_messages=message_endings(invalid=_NOT_A_NUMBER),
        help_text="How many of them must be completed.",
    )
    grants = GrantsField(allow_empty=False, help_text="What is given then.")


@extend_schema_field({"oneOf": [{"type": "string", "enum": [ALL]}, {"type": "integer", "minimum": 1}]})
class CompletionField(serializers.Field[Any, Any, Any, Any]):
    """`all`, or how many."""

    def to_internal_value(self, data: Any) -> Any:
        if data == ALL:
            return data
        try:
            return WholeNumberField(min_value=1).run_validation(data)
        except serializers.ValidationError:
            raise serializers.ValidationError("Must be `all` or a number of objectives.") from None

    def to_representation(self, value: Any) -> Any:
        return value
