"""Example calls of rewards for the OpenAPI document, from the specification."""

from participants.api.schema import Example

REWARD_ID = "01a20030-16b8-773b-a1f2-79a6f16a65ee"
CLAIM_ID = "01a20031-5d10-7f2a-8c3b-2b6f0a1c9d77"

REWARDS = Example(
    answer={
        "rewards": [
            {
                "id": REWARD_ID,
                "name": "10% Off Coupon",
                "type": "coupon",
                "description": "10% discount on next purchase",
                "points_cost": 500,
                "available_codes": 45,
                "max_claims_per_user": 1,
                "image_url": None,
            }
        ],
        "total": 1,
    }
)

CLAIM = Example(
    body={"participant_id": "user_123", "points_deduction": True},
    answer={
        "claim_id": CLAIM_ID,
        "participant_id": "user_123",
        "reward_name": "10% Off Coupon",
        "reward_type": "coupon",
        "code_value": "SAVE10-ABC123",
        "points_deducted": 500,
        "new_balance": 1000,
    },
)

_CLAIMED = {
    "claim_id": CLAIM_ID,
    "reward_id": REWARD_ID,
    "reward_name": "10% Off Coupon",
    "reward_type": "coupon",
    "code_value": "SAVE10-ABC123",
    "points_deducted": 500,
    "status": "claimed",
    "claimed_at": "2026-02-14T10:00:00Z",
}

CLAIMS = Example(answer={"participant_id": "user_123", "rewards": [_CLAIMED], "total": 1, "page": 1, "page_size": 50})

CANCELLED = Example(
    body={"reason": "Ordered by mistake"},
    answer={**_CLAIMED, "status": "cancelled", "participant_id": "user_123"},
)

FULFILLED = Example(
    body={"reason": "Sent with order 4711"},
    answer={**_CLAIMED, "status": "fulfilled", "participant_id": "user_123"},
)

CODES = Example(
    body={"codes": ["SAVE10-ABC123", "SAVE10-ABC124"]},
    answer={"added": 2, "duplicates": [], "available_codes": 47},
)

CODES_CSV = "code\nSAVE10-ABC123\nSAVE10-ABC124\n"

_GIFT_CARD = {
    "name": "Premium Gift Card",
    "type": "voucher",
    "description": "Redeemable for premium items",
    "points_cost": 1000,
    "max_claims_per_user": 1,
    "total_inventory": 100,
    "is_active": True,
}

CREATED = Example(
    body=_GIFT_CARD,
    answer={
        "id": REWARD_ID,
        "tenant_id": "01a2002f-5cb4-70b6-8ee3-5f1b1a4a3e5d",
        "code": "premium-gift-card-5f1b1a4a3e5d",
        **_GIFT_CARD,
        "reward_type": "voucher",
        "display_order": 0,
        "min_tier_level": None,
        "starts_at": None,
        "expires_at": None,
        "image_url": None,
        "code_pattern": None,
        "config": None,
        "claimed": 0,
        "available_codes": None,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    },
)
