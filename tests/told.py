"""Whatever the product tells while tests run is what the OpenAPI document says that it tells."""

import json
import sys
from functools import cache
from typing import Any

import jsonschema_rs

from gamify.webhooks.engine.messages import message_bytes, message_of
from gamify_project.openapi.webhooks import describe_webhooks
from participants.models import DomainEvent
from participants.work.outbox import domain_event


def documented_event(*args: Any, **kwargs: Any) -> DomainEvent:
    """In place of `domain_event`. Raises jsonschema_rs.ValidationError for what is told otherwise than documented.

    What a test has a unit of work tell by itself need not be what the product would.
    """
    event = domain_event(*args, **kwargs)
    if not _teller().startswith("tests."):
        check(event)
    return event


def _teller() -> str:
    """The module that called `emit` or `announce`, which called us."""
    name: str = sys._getframe(3).f_globals["__name__"]
    return name


def check(event: DomainEvent) -> None:
    _validators()[event.type].validate(json.loads(message_bytes(message_of(event))))


@cache
def _validators() -> dict[str, Any]:
    return {name: validator(schema) for name, schema in schemas().items()}


def validator(schema: dict[str, Any]) -> Any:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """The body of each type, as the document has it."""
    webhooks = describe_webhooks({})["webhooks"]
    return {
        name: path["post"]["requestBody"]["content"]["application/json"]["schema"] for name, path in webhooks.items()
    }
