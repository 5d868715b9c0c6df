"""The `webhooks` of the OpenAPI document: what each type of event looks like when it is delivered, from the registry of types."""

import re
from typing import Any

from participants.events import EventType, event_types

Document = dict[str, Any]

EXAMPLE_ID = "01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95"
EXAMPLE_TENANT = "01a2002f-5cb4-70b6-8ee3-5f1b1a4a3e5d"
EXAMPLE_TIME = "2026-02-14T10:00:00Z"

# What fields of a name hold, the first that fits; null too where their description says so.
KINDS: tuple[tuple[str, Document, Any], ...] = (
    (r"(participant|user)_id", {"type": "string"}, "user_123"),
    (r".*_id", {"type": "string", "format": "uuid"}, EXAMPLE_ID),
    (r".*_at|.*_until|from|to|timestamp|failing_since", {"type": "string", "format": "date-time"}, EXAMPLE_TIME),
    (
        r"(base_)?amount|delta|.*balance|.*_count|.*level|threshold|completions|total_completed|points_deducted",
        {"type": "integer"},
        7,
    ),
    (r"multiplier", {"type": "number"}, 1.5),
    (r"visible", {"type": "boolean"}, True),
    (r"attributes|properties|metadata", {"type": "object"}, {}),
    (r"objectives", {"type": "array", "items": {"type": "string"}}, ["first_steps"]),
    (r"undone", {"type": "array", "items": {"type": "object"}}, [{"type": "points", "amount": 10}]),
    (r"tier|previous_tier", {"type": "object"}, {"code": "gold", "name": "Gold", "level": 3}),
    (r".*", {"type": "string"}, "…"),
)

_HEADERS = {
    "webhook-id": "The event: the same with every try, and for every webhook. Whoever has seen it need do nothing.",
    "webhook-timestamp": "When this try began, in Unix seconds.",
    "webhook-signature": "One signature, or two while a secret is changed over, separated by a space (Standard Webhooks, v1).",
    "webhook-schema-version": "Version of what `data` holds for this type.",
}


def describe_webhooks(result: Document, **kwargs: Any) -> Document:
    """drf-spectacular's postprocessing hook."""
    result["webhooks"] = {each.name: {"post": _operation(each)} for each in event_types.values()}
    return result


def _operation(event_type: EventType) -> Document:
    body = {"schema": _schema(event_type), "example": _example(event_type)}
    return {
        "operationId": f"receive_{event_type.name.replace('.', '_')}",
        "summary": event_type.name,
        "description": event_type.meaning,
        "tags": ["Webhooks"],
        "parameters": [_header(name, about) for name, about in _HEADERS.items()],
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "2XX": {"description": "Taken. Anything else, and no answer in time, is tried again."},
            "410": {"description": "Nothing more is wanted here: the webhook is disabled."},
        },
    }


def _header(name: str, about: str) -> Document:
    return {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}


def _schema(event_type: EventType) -> Document:
    fields = {name: _field(name, about) for name, about in event_type.fields.items()}
    required = [name for name in fields if name not in event_type.optional]
    properties = {
        "id": {"type": "string", "format": "uuid", "description": "The event, as in `webhook-id` and in the feed."},
        "type": {"const": event_type.name, "description": "What happened."},
        "occurred_at": {"type": "string", "format": "date-time", "description": "When."},
        "tenant_id": {
            "type": "string",
            "format": "uuid",
            "description": "Your tenant's id; in the sandbox, the sandbox's.",
        },
        "data": {"type": "object", "description": event_type.meaning, "properties": fields, "required": required},
    }
    return {"type": "object", "x-version": event_type.version, "required": [*properties], "properties": properties}


def _field(name: str, about: str) -> Document:
    schema = _kind(name)[0]
    if re.search(r"\bnull\b", about):
        schema["type"] = [schema["type"], "null"]
    return schema | {"description": about}


def _example(event_type: EventType) -> Document:
    return {
        "id": EXAMPLE_ID,
        "type": event_type.name,
        "occurred_at": EXAMPLE_TIME,
        "tenant_id": EXAMPLE_TENANT,
        "data": {name: _kind(name)[1] for name in event_type.fields},
    }


def _kind(name: str) -> tuple[Document, Any]:
    """The schema of a field, and an example."""
    return next((dict(schema), example) for pattern, schema, example in KINDS if re.fullmatch(pattern, name))
