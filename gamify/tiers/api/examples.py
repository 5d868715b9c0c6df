"""Examples of requests and answers for the OpenAPI document."""

from participants.api.schema import Example

STANDING = Example(
    answer={
        "participant_id": "user_123",
        "current_tier": {
            "code": "gold",
            "name": "Gold",
            "level": 3,
            "color": "#FFD700",
            "achieved_at": "2026-02-01T10:00:00Z",
        },
        "next_tier": {
            "code": "platinum",
            "name": "Platinum",
            "points_required": 10000,
            "points_remaining": 8500,
        },
        "tier_history": [
            {
                "code": "silver",
                "name": "Silver",
                "level": 2,
                "previous_code": None,
                "previous_level": None,
                "how": "automatic",
                "reason": None,
                "achieved_at": "2026-01-15T10:00:00Z",
            },
            {
                "code": "gold",
                "name": "Gold",
                "level": 3,
                "previous_code": "silver",
                "previous_level": 2,
                "how": "automatic",
                "reason": None,
                "achieved_at": "2026-02-01T10:00:00Z",
            },
        ],
    },
)

ASSIGN = Example(
    body={"participant_id": "user_123", "tier_code": "platinum", "reason": "VIP promotion"},
    answer={
        "participant_id": "user_123",
        "tier": {"code": "platinum", "name": "Platinum", "level": 4},
        "previous_tier": {"code": "gold", "name": "Gold", "level": 3},
        "reason": "VIP promotion",
        "assigned_at": "2026-02-14T10:00:00Z",
    },
)

_PLATINUM = {
    "code": "platinum",
    "name": "Platinum",
    "level": 4,
    "color": "#E5E4E2",
    "criteria_config": {"min_points": 10000},
    "award_type": "automatic",
    "benefits": ["priority_support", "2x_points"],
    "points_multiplier": None,
    "display_order": 4,
}

CREATED = Example(
    body=_PLATINUM,
    answer={
        "id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
        "tenant_id": "01a20030-0c1e-7b55-9d0e-4f4b7a8b9c10",
        **_PLATINUM,
        "description": None,
        "icon_url": None,
        "is_active": True,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    },
)
