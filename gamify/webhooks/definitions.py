"""What may be said of a webhook: the bodies that API and console share."""

from collections.abc import Mapping, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.webhooks.engine.globs import EVERYTHING, glob_problem, is_wanted
from gamify.webhooks.engine.targets import MAX_ADDRESS, target_problem
from gamify.webhooks.services.network import policy
from participants.api.fields import LineField
from participants.api.scalars import FlagField
from participants.errors import InvalidInput
from participants.events import event_types

MAX_GLOBS = 50
MAX_GLOB = 60
MAX_DESCRIPTION = 255


def types_matching(globs: Sequence[str]) -> list[str] | None:
    """The types of event that `globs` mean; None where there are none: all. Raises InvalidInput."""
    if len(globs) > MAX_GLOBS:
        raise InvalidInput("types", f"Must not name more than {MAX_GLOBS} types.")
    if problem := next(filter(None, (glob_problem(glob, event_types) for glob in globs)), None):
        raise InvalidInput("types", problem)
    return [name for name in event_types if is_wanted(name, globs)] or None


class TargetField(LineField):
    """An address that may be delivered to, as far as can be told before it is connected to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_ADDRESS, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := target_problem(value, policy())):
            raise serializers.ValidationError(problem)
        return value


@extend_schema_field({"type": "string", "maxLength": MAX_GLOB, "examples": ["streak.*", "points.awarded", "*"]})
class GlobField(LineField):
    """A type of event, several that begin alike (`streak.*`), or all (`*`)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_GLOB, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := glob_problem(value, event_types)):
            raise serializers.ValidationError(problem)
        return value


class WebhookChanges(serializers.Serializer[Any]):
    """What may be changed of a webhook."""

    url = TargetField(help_text="Where to: an https address that is public. It is not looked up before it is used.")
    event_types = serializers.ListField(
        child=GlobField(),
        min_length=1,
        max_length=MAX_GLOBS,
        help_text="The types of event that it wants: `points.awarded`, `streak.*`, or `*` for all, future ones included.",
    )
    description = LineField(
        max_length=MAX_DESCRIPTION, required=False, allow_null=True, allow_blank=True, help_text="For people, or null."
    )
    is_active = FlagField(
        required=False, help_text="Whether it is delivered to. What waits for it meanwhile goes on when it is active."
    )

    def validate_event_types(self, globs: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(globs))


class NewWebhook(WebhookChanges):
    """A new webhook."""

    def to_internal_value(self, data: Any) -> Any:
        """Left out, it wants everything."""
        wants = {"event_types": [EVERYTHING]} if isinstance(data, Mapping) and "event_types" not in data else {}
        return super().to_internal_value({**data, **wants} if wants else data)
