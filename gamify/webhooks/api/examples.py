"""Example calls of webhooks and the feed for the OpenAPI document."""

from participants.api.schema import Example

WEBHOOK_ID = "01a20030-16b8-773b-a1f2-79a6f16a65ee"
DELIVERY_ID = "01a20033-0c5e-7d11-8a4c-90f1b2a3c4d5"
TENANT_ID = "01a2002f-5cb4-70b6-8ee3-5f1b1a4a3e5d"
EVENT_ID = "01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95"

WEBHOOK = {
    "id": WEBHOOK_ID,
    "tenant_id": TENANT_ID,
    "url": "https://shop.example/hooks/gamify",
    "description": "Shop backend",
    "event_types": ["streak.*", "points.awarded"],
    "is_active": True,
    "failing_since": None,
    "disabled_at": None,
    "disabled_reason": None,
    "created_at": "2026-02-14T10:00:00Z",
    "updated_at": "2026-02-14T10:00:00Z",
}
_SECRET = {"secret": "whsec_3q2+7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "former_secret_valid_until": None}

CREATED = Example(
    body={
        "url": "https://shop.example/hooks/gamify",
        "event_types": ["streak.*", "points.awarded"],
        "description": "Shop backend",
    },
    answer={**WEBHOOK, **_SECRET},
)
LISTED = Example(answer=WEBHOOK)
SHOWN = Example(answer=WEBHOOK)
CHANGED = Example(body={"event_types": ["*"]}, answer={**WEBHOOK, "event_types": ["*"]})
DELETED = Example(answer={"message": "Webhook deleted"})
ROTATED = Example(answer={**WEBHOOK, **_SECRET, "former_secret_valid_until": "2026-02-15T10:00:00Z"})

DELIVERY = {
    "id": DELIVERY_ID,
    "webhook_id": WEBHOOK_ID,
    "event_id": EVENT_ID,
    "event_type": "streak.incremented",
    "status": "succeeded",
    "tries": 2,
    "next_try_at": None,
    "created_at": "2026-02-14T10:00:00.125Z",
    "finished_at": "2026-02-14T10:00:05.625Z",
    "attempts": [
        {"at": "2026-02-14T10:00:00.250Z", "status_code": 503, "duration_ms": 41, "error": "answered 503"},
        {"at": "2026-02-14T10:00:05.500Z", "status_code": 204, "duration_ms": 38, "error": None},
    ],
}
_WAITING = {
    "status": "pending",
    "tries": 0,
    "next_try_at": "2026-02-14T11:00:00Z",
    "finished_at": None,
}
TESTED = Example(answer={**DELIVERY, **_WAITING, "event_type": "webhook.test", "attempts": []})
DELIVERED = Example(answer=DELIVERY)
DELIVERED_AGAIN = Example(answer={**DELIVERY, **_WAITING})
REPLAYED = Example(answer={"replayed": 12})

FEED = Example(
    answer={
        "events": [
            {
                "id": EVENT_ID,
                "type": "streak.incremented",
                "occurred_at": "2026-02-14T10:00:00.100Z",
                "tenant_id": TENANT_ID,
                "data": {
                    "participant_id": "user_123",
                    "user_id": "user_123",
                    "definition_id": "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31",
                    "streak_code": "daily_login",
                    "new_count": 7,
                    "longest_count": 12,
                },
                "actor": {
                    "kind": "api_key",
                    "id": "01a20030-0b1c-7d2e-8f3a-4b5c6d7e8f90",
                    "label": "shop backend (bq_live_Ab3dE6…)",
                },
                "request_id": "req-8f14e45f",
            }
        ],
        "next_cursor": "4711",
        "has_more": False,
    }
)

STREAM = Example(
    answer="""retry: 1000
id: 4710

id: 4711
event: streak.incremented
data: {"id":"01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95","type":"streak.incremented","occurred_at":"2026-02-14T10:00:00.100Z",…}
"""
)
