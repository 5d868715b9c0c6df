"""Components of the OpenAPI document that no serializer declares: bodies of errors, headers, and parameters in paths."""

from typing import Any

Document = dict[str, Any]

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

SCHEMAS: Document = {
    "GamifyError": {
        "type": "object",
        "description": "The body of every error under `/api/v1/gamify`.",
        "required": ["detail", "code"],
        "properties": {
            "detail": {**_TEXT, "description": "One sentence for people. Its wording may change."},
            "code": {**_TEXT, "description": "For programs. It does not change."},
            "errors": {
                "type": "array",
                "description": "With status 422: all errors in the request, by field.",
                "items": {"$ref": "#/components/schemas/FieldProblem"},
            },
        },
    },
    "FieldProblem": {
        "type": "object",
        "description": "An error in one field.",
        "required": ["field", "message"],
        "properties": {
            "field": {**_TEXT, "description": "Dotted path in the body or the query, such as `awards.0.amount`."},
            "message": {**_TEXT, "description": "What is wrong with the field."},
        },
    },
    "PhoenixError": {
        "type": "object",
        "description": "The body of every error under `/v1`.",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "description": "The error.",
                "required": ["code", "message", "status"],
                "properties": {
                    "code": {**_TEXT, "description": "For programs. It does not change."},
                    "message": {**_TEXT, "description": "One sentence for people. Its wording may change."},
                    "status": {**_COUNT, "description": "The HTTP status code."},
                },
            }
        },
    },
}

HEADERS: Document = {
    "X-Request-Id": {
        "description": "The `X-Request-Id` that you sent, or a generated one. The logs contain it.",
        "schema": _TEXT,
    },
    "X-RateLimit-Limit": {"description": "Requests per minute that the limit allows.", "schema": _COUNT},
    "X-RateLimit-Remaining": {"description": "Remaining requests.", "schema": _COUNT},
    "X-RateLimit-Reset": {"description": "When the count restarts, in Unix seconds.", "schema": _COUNT},
    "WWW-Authenticate": {"description": "Required authentication: a key as bearer token.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait before a retry.", "schema": _COUNT},
    "Idempotency-Replayed": {
        "description": "`true` if this is the stored answer of an earlier call with the same key.",
        "schema": {**_TEXT, "enum": ["true"]},
    },
}

_USER_ID = {**_TEXT, "pattern": ".+", "minLength": 1, "maxLength": 255}

# Descriptions of path parameters, by name. Django routes have no place for them.
PARAMETERS: Document = {
    "participant_id": {
        "name": "participant_id",
        "in": "path",
        "required": True,
        "description": "Your participant identifier, percent-encoded: `a/b` is sent as `a%2Fb`.",
        "schema": _USER_ID,
        "example": "user_123",
    },
    "user_id": {
        "name": "user_id",
        "in": "path",
        "required": True,
        "description": "Your user identifier (the `participant_id`), percent-encoded.",
        "schema": _USER_ID,
        "example": "user_123",
    },
    "tenant_id": {
        "name": "tenant_id",
        "in": "path",
        "required": True,
        "description": "Slug or UUID of your tenant. With a `bq_test_…` key it means the sandbox.",
        "schema": {**_TEXT, "minLength": 1, "maxLength": 64},
        "example": "acme",
    },
    "event_id": {
        "name": "event_id",
        "in": "path",
        "required": True,
        "description": "Id of the event, from the answer that recorded it.",
        "schema": {"type": "string", "format": "uuid"},
        "example": "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31",
    },
    "code": {
        "name": "code",
        "in": "path",
        "required": True,
        "description": "The definition's code, percent-encoded.",
        "schema": {**_TEXT, "pattern": ".+", "minLength": 1, "maxLength": 50},
        "example": "daily_login",
    },
    "reward_id": {
        "name": "reward_id",
        "in": "path",
        "required": True,
        "description": "The reward's id, from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
    "claim_id": {
        "name": "claim_id",
        "in": "path",
        "required": True,
        "description": "Id of the claim, from the answer that created it.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20031-5d10-7f2a-8c3b-2b6f0a1c9d77",
    },
    "transaction_id": {
        "name": "transaction_id",
        "in": "path",
        "required": True,
        "description": "Id of the ledger entry: `transaction_id` in the answer that created it.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
    },
    "webhook_id": {
        "name": "webhook_id",
        "in": "path",
        "required": True,
        "description": "The webhook's id, from the answer that created it or from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
    "delivery_id": {
        "name": "delivery_id",
        "in": "path",
        "required": True,
        "description": "The delivery's id, from the webhook's list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20033-0c5e-7d11-8a4c-90f1b2a3c4d5",
    },
    "export_id": {
        "name": "export_id",
        "in": "path",
        "required": True,
        "description": "The export's id, from the answer that created it or from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "0192f0c1-7a55-7b3e-9d43-2f6c1a9be001",
    },
    "amnesty_id": {
        "name": "amnesty_id",
        "in": "path",
        "required": True,
        "description": "The amnesty's id, from the answer that declared it or from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
    "undo_id": {
        "name": "undo_id",
        "in": "path",
        "required": True,
        "description": "The id of the undo, from the answer that started it.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20a4f-2d4b-77c1-8f84-f9a0c8493055",
    },
    "definition_id": {
        "name": "definition_id",
        "in": "path",
        "required": True,
        "description": "The definition's id, from the answer that created it or from the list.",
        "schema": {**_TEXT, "format": "uuid"},
        "example": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    },
}
