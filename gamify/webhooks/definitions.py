"""Request bodies of webhooks, shared by API and console."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from gamify.webhooks import services
from gamify.webhooks.engine.globs import EVERYTHING, glob_problem, is_wanted
from gamify.webhooks.engine.targets import MAX_ADDRESS, target_problem
from gamify.webhooks.models import Endpoint
from gamify.webhooks.services.network import policy
from participants.api.fields import LineField
from participants.api.kinds import DefinitionKind, register_kind
from participants.api.scalars import FlagField
from participants.errors import InvalidInput
from participants.events import event_types
from participants.models import Tenant

MAX_GLOBS = 50
MAX_GLOB = 60
MAX_DESCRIPTION = 255


def types_matching(globs: Sequence[str]) -> list[str] | None:
    """Return the event types that match any of `globs`, or None for all types (no globs).

    Raises: InvalidInput for too many globs, or for one that matches no type.
    """
    if len(globs) > MAX_GLOBS:
        raise InvalidInput("types", f"Must not name more than {MAX_GLOBS} types.")
    if problem := next(filter(None, (glob_problem(glob, event_types) for glob in globs)), None):
        raise InvalidInput("types", problem)
    return [name for name in event_types if is_wanted(name, globs)] or None


class TargetField(LineField):
    """An address that deliveries may go to. The address that its host resolves to is checked only when a delivery is sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_ADDRESS, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := target_problem(value, policy())):
            raise serializers.ValidationError(problem)
        return value


@extend_schema_field({"type": "string", "maxLength": MAX_GLOB, "examples": ["streak.*", "points.awarded", "*"]})
class GlobField(LineField):
    """An event type, a prefix of event types (`streak.*`), or all types (`*`)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_GLOB, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        if isinstance(value, str) and (problem := glob_problem(value, event_types)):
            raise serializers.ValidationError(problem)
        return value


class WebhookChanges(serializers.Serializer[Any]):
    """The fields of a webhook that can be changed."""

    url = TargetField(
        help_text="Address that deliveries go to: https and public. Its host is looked up only when a delivery is sent."
    )
    event_types = serializers.ListField(
        child=GlobField(),
        min_length=1,
        max_length=MAX_GLOBS,
        help_text="The event types to deliver: `points.awarded`, `streak.*`, or `*` for all, also future ones.",
    )
    description = LineField(
        max_length=MAX_DESCRIPTION, required=False, allow_null=True, allow_blank=True, help_text="For people, or null."
    )
    is_active = FlagField(
        required=False, help_text="Whether events are delivered to it. Deliveries of an inactive webhook wait."
    )

    def validate_event_types(self, globs: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(globs))


class NewWebhook(WebhookChanges):
    """A new webhook."""

    def to_internal_value(self, data: Any) -> Any:
        """A webhook without `event_types` receives all events."""
        wants = {"event_types": [EVERYTHING]} if isinstance(data, Mapping) and "event_types" not in data else {}
        return super().to_internal_value({**data, **wants} if wants else data)


def _create(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Endpoint:
    """Create a webhook with a new secret, which staff can replace to see one."""
    return services.create_endpoint(tenant=tenant, data=data, now=now).endpoint


def _update(row: Endpoint, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Endpoint:
    return services.update_endpoint(row, changes=changes, now=now)


def register() -> None:
    register_kind(
        DefinitionKind(
            noun="webhook",
            plural="webhooks",
            model=Endpoint,
            body=NewWebhook,
            create=_create,
            update=_update,
            identity="url",
            is_identity_unique=False,
        )
    )
