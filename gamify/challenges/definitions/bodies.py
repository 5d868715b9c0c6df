"""The bodies of objectives and milestones. Error messages are ends of sentences that begin with the path of the field."""

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
    """A part of a definition that a change replaces as a whole. So its required fields are required in a PATCH too."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return super().run_validation(data) if self.parent is None else type(self)().run_validation(data)

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """The stored object, unchanged."""
        return dict(instance)


class ChallengeObjective(ReplacedObject):
    """A goal that is reached by events."""

    code = VisibleLineField(
        max_length=MAX_CODE,
        error_messages=message_endings(max_length=_TOO_LONG),
        help_text="Code of the objective, unique in this challenge.",
    )
    label = LineField(  # type: ignore[assignment]  # DRF's fields have an attribute `label`, too
        max_length=MAX_NAME,
        error_messages=message_endings(max_length=_TOO_LONG),
        help_text="Name of the objective, for people.",
    )
    event_types = EventTypesField(allow_empty=False, help_text="Names of the events that advance it; `*` is any event.")
    expression = ExpressionField(
        required=False,
        allow_null=True,
        default=None,
        error_messages=message_endings(),
        help_text="Only events that match this expression count; null for all.",
    )
    condition = ConditionBody(required=False, help_text="When it is completed. Default: with one event.")
    prerequisites = serializers.ListField(
        child=TextField(error_messages=message_endings()),
        default=list,
        max_length=MAX_OBJECTIVES,
        error_messages=message_endings(),
        help_text="Codes of objectives that must be completed before this one counts events.",
    )

    def validate_code(self, value: str) -> str:
        if "," in value:
            raise serializers.ValidationError("must not contain commas")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The objective as it is stored: with the default condition, and without repeated prerequisites."""
        condition = attrs.get("condition") or {"type": "count", "min": 1}
        return {**attrs, "condition": condition, "prerequisites": list(dict.fromkeys(attrs["prerequisites"]))}


class ChallengeMilestone(ReplacedObject):
    """Grants for a number of completed objectives, given once per round."""

    objectives = WholeNumberField(
        min_value=1,
        max_value=MAX_OBJECTIVES,
        error_messages=message_endings(invalid=_NOT_A_NUMBER),
        help_text="Number of objectives that must be completed.",
    )
    grants = GrantsField(allow_empty=False, help_text="Grants of the milestone.")


@extend_schema_field({"oneOf": [{"type": "string", "enum": [ALL]}, {"type": "integer", "minimum": 1}]})
class CompletionField(serializers.Field[Any, Any, Any, Any]):
    """The number of objectives that complete a challenge, or `all`."""

    def to_internal_value(self, data: Any) -> Any:
        if data == ALL:
            return data
        try:
            return WholeNumberField(min_value=1).run_validation(data)
        except serializers.ValidationError:
            raise serializers.ValidationError("Must be `all` or a number of objectives.") from None

    def to_representation(self, value: Any) -> Any:
        return value
