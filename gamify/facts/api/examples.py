"""Examples of calls for the OpenAPI document."""

from participants.api.schema import Example

EVENT_ID = "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31"

_FIRST = {
    "event_id": EVENT_ID,
    "fact_id": "01a20030-2f11-7c0e-9b6a-0d8d1b2c3d42",
    "status": "processed",
    "rewards_granted": [],
}

_SECOND = {
    "event_id": "01a20030-2f12-7a3d-8c5b-1e9f6b4d2a53",
    "fact_id": "01a20030-2f12-7a3d-8c5b-1ea02c3d4e64",
    "status": "processed",
    "rewards_granted": [],
}

EVENT = Example(
    body={
        "participant_id": "user_42",
        "event_name": "purchase_completed",
        "properties": {"amount": 49.99, "currency": "USD", "product_id": "prod_abc"},
        "timestamp": "2026-02-14T10:00:00Z",
        "idempotency_key": "purchase_ord_001",
    },
    answer=_FIRST,
)

BATCH = Example(
    body={
        "events": [
            {
                "participant_id": "user_42",
                "event_name": "purchase_completed",
                "properties": {"amount": 49.99},
                "idempotency_key": "purchase_ord_001",
            },
            {
                "participant_id": "user_42",
                "event_name": "loyalty_signup",
                "properties": {"channel": "email"},
                "idempotency_key": "signup_user_42",
            },
        ]
    },
    answer={
        "processed": 2,
        "failed": 0,
        "results": [{**_FIRST, "error": None, "code": None}, {**_SECOND, "error": None, "code": None}],
    },
)

HISTORY = Example(
    answer={
        "participant_id": "user_42",
        "events": [
            {
                "id": "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31",
                "event_name": "purchase_completed",
                "properties": {"amount": 49.99, "currency": "USD"},
                "occurred_at": "2026-02-14T10:00:00Z",
                "reversed_at": None,
            }
        ],
        "total": 156,
        "page": 1,
        "page_size": 20,
    },
)

EXPLAINED = Example(
    answer={
        "event_id": "01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31",
        "participant_id": "user_42",
        "event_name": "purchase_completed",
        "occurred_at": "2026-02-14T10:00:00Z",
        "recorded_at": "2026-02-14T10:00:00.120000Z",
        "reversed_at": None,
        "reversal_reason": None,
        "undone": [],
        "is_pruned": False,
        "facts": [
            {
                "name": "purchase_completed",
                "is_change": False,
                "depth": 0,
                "heard": [
                    {"type": "streak", "code": "weekly_buyer", "version": 1, "result": "counted", "note": "3 in a row"},
                    {
                        "type": "rule",
                        "code": "big_spender",
                        "version": 2,
                        "result": "not_matched",
                        "conditions": [
                            {"field": "amount", "operator": "gte", "expected": 100, "actual": 49.99, "holds": False}
                        ],
                    },
                ],
            }
        ],
        "granted": [],
        "refused": [],
        "cut": [],
    },
)

REVERSED = Example(
    body={"reason": "The order was fraudulent"},
    answer={
        "event_id": EVENT_ID,
        "participant_id": "user_42",
        "event_name": "purchase_completed",
        "reason": "The order was fraudulent",
        "reversed_at": "2026-02-15T09:30:00Z",
        "undone": [
            {
                "type": "reward",
                "id": "01a20030-2f12-7a3d-8c5b-1e9f6b4d2a53",
                "name": "10% Off Coupon",
                "kept": "Its code was handed out, and may have been used",
            },
            {"type": "streak_tick", "code": "weekly_buyer", "name": "Weekly Buyer", "amount": 1},
            {"type": "badge", "code": "big_spender", "name": "Big Spender"},
        ],
    },
)
