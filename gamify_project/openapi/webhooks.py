"""The `webhooks` section of the OpenAPI document: the deliveries of each registered event type."""

from typing import Any

from gamify_project.openapi.components import Document
from participants.actors import ActorKind
from participants.events import INSTANT, UUID, EventField, EventType, event_types

EXAMPLE_TENANT = "01a2002f-5cb4-70b6-8ee3-5f1b1a4a3e5d"

ACTOR_SCHEMA = {
    "type": ["object", "null"],
    "description": "On whose account it happened; null: an earlier release recorded it.",
    "properties": {
        "kind": {"enum": [kind.value for kind in ActorKind], "description": "What it is."},
        "id": {
            "type": "string",
            "description": "Its id: of the key, the user or the import; `type:code` of a definition.",
        },
        "label": {"type": "string", "description": "Its name at that time."},
    },
    "required": ["kind", "id", "label"],
}
ACTOR_EXAMPLE = {
    "kind": "api_key",
    "id": "01a20030-0b1c-7d2e-8f3a-4b5c6d7e8f90",
    "label": "shop backend (bq_live_Ab3dE6…)",
}

_HEADERS = {
    "webhook-id": "Id of the event. It is the same in every attempt and for every webhook, so you can skip events that you have processed.",
    "webhook-timestamp": "Time of this attempt in Unix seconds.",
    "webhook-signature": "Signature (Standard Webhooks, v1). While a secret is being replaced there are two, separated by a space.",
    "webhook-schema-version": "Version of the format of `data` for this type.",
}


def describe_webhooks(result: Document, **kwargs: Any) -> Document:
    """drf-spectacular's postprocessing hook: add the `webhooks` section."""
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
            "2XX": {"description": "Accepted. After any other status, or a timeout, the delivery is retried."},
            "410": {"description": "Disables the webhook: nothing more is delivered."},
        },
    }


def _header(name: str, about: str) -> Document:
    return {"name": name, "in": "header", "required": True, "description": about, "schema": {"type": "string"}}


def _schema(event_type: EventType) -> Document:
    fields = {name: _field(field) for name, field in event_type.fields.items()}
    required = [name for name, field in event_type.fields.items() if not field.optional]
    properties = {
        "id": {**UUID.schema, "description": "Id of the event, as in `webhook-id` and in the feed."},
        "type": {"const": event_type.name, "description": "Type of the event."},
        "occurred_at": {**INSTANT.schema, "description": "When it happened."},
        "tenant_id": {**UUID.schema, "description": "Id of your tenant; for sandbox events, of its sandbox."},
        "data": {"type": "object", "description": event_type.meaning, "properties": fields, "required": required},
        "actor": ACTOR_SCHEMA,
        "request_id": {
            "type": ["string", "null"],
            "description": "`X-Request-Id` of the request that led to it; null: there was none.",
        },
    }
    return {"type": "object", "x-version": event_type.version, "required": [*properties], "properties": properties}


def _field(field: EventField) -> Document:
    schema = dict(field.kind.schema)
    if field.nullable:
        schema["type"] = [schema["type"], "null"]
    return schema | {"description": field.about}


def _example(event_type: EventType) -> Document:
    return {
        "id": UUID.example,
        "type": event_type.name,
        "occurred_at": INSTANT.example,
        "tenant_id": EXAMPLE_TENANT,
        "data": {name: field.kind.example for name, field in event_type.fields.items()},
        "actor": ACTOR_EXAMPLE,
        "request_id": "req-8f14e45f",
    }
