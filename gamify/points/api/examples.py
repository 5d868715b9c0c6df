"""Examples of requests and answers for the OpenAPI document."""

from participants.api.schema import Example

AWARD = Example(
    body={
        "participant_id": "user_123",
        "amount": 100,
        "reason": "Purchase completed",
        "metadata": {"order_id": "ord_abc", "amount_usd": 49.99},
        "idempotency_key": "purchase_ord_abc",
    },
    answer={
        "transaction_id": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "participant_id": "user_123",
        "amount": 100,
        "new_balance": 1500,
        "tier_upgrade": {
            "code": "gold",
            "name": "Gold Tier",
            "level": 3,
            "previous_code": "silver",
            "previous_level": 2,
        },
        "badges_unlocked": [{"code": "first_steps", "name": "First Steps"}],
    },
)

DEDUCT = Example(
    body={"participant_id": "user_123", "amount": 50, "reason": "Reward redemption"},
    answer={
        "transaction_id": "b2c3d4e5-f6a7-8901-bcde-f12345678901",
        "participant_id": "user_123",
        "amount": 50,
        "new_balance": 1450,
    },
)

BATCH = Example(
    body={
        "awards": [
            {"participant_id": "user_1", "amount": 100, "reason": "Weekly bonus"},
            {"participant_id": "user_2", "amount": 100, "reason": "Weekly bonus"},
            {"participant_id": "user_3", "amount": 50, "reason": "Referral bonus"},
        ]
    },
    answer={
        "processed": 3,
        "failed": 0,
        "results": [
            {
                "participant_id": "user_1",
                "transaction_id": "c3d4e5f6-a7b8-9012-cdef-123456789012",
                "new_balance": 500,
                "error": None,
                "code": None,
            },
            {
                "participant_id": "user_2",
                "transaction_id": "d4e5f6a7-b8c9-0123-def1-234567890123",
                "new_balance": 350,
                "error": None,
                "code": None,
            },
            {
                "participant_id": "user_3",
                "transaction_id": "e5f6a7b8-c9d0-1234-ef12-345678901234",
                "new_balance": 200,
                "error": None,
                "code": None,
            },
        ],
    },
)

POINTS = Example(
    answer={"participant_id": "user_123", "balance": 1500, "total_earned": 5000, "total_spent": 3500},
)

TRANSACTIONS = Example(
    answer={
        "participant_id": "user_123",
        "transactions": [
            {
                "id": "b2c3d4e5-f6a7-8901-bcde-f12345678901",
                "type": "deduct",
                "amount": 50,
                "delta": -50,
                "balance_after": 1450,
                "reason": "Reward redemption",
                "metadata": {},
                "created_at": "2026-02-14T10:05:00Z",
            }
        ],
        "total": 156,
        "page": 1,
        "page_size": 20,
    },
)

TRANSACTION_ID = "a1b2c3d4-e5f6-7890-abcd-ef1234567890"

REVERSED = Example(
    body={"reason": "Order returned"},
    answer={
        "transaction_id": "c7d8e9f0-a1b2-4345-8789-abcdef012345",
        "reversed_id": TRANSACTION_ID,
        "participant_id": "user_123",
        "amount": 100,
        "delta": -100,
        "new_balance": 1400,
        "reason": "Order returned",
    },
)

BOOST = Example(
    body={
        "code": "double_weekend",
        "name": "Double weekend",
        "multiplier": 2,
        "starts_at": "2026-02-14T00:00:00Z",
        "ends_at": "2026-02-16T00:00:00Z",
    },
    answer={
        "id": "d8e9f0a1-b2c3-4456-989a-bcdef0123456",
        "tenant_id": "e9f0a1b2-c3d4-4567-89ab-cdef01234567",
        "code": "double_weekend",
        "name": "Double weekend",
        "description": None,
        "is_active": True,
        "display_order": 0,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
        "multiplier": 2,
        "starts_at": "2026-02-14T00:00:00Z",
        "ends_at": "2026-02-16T00:00:00Z",
    },
)
