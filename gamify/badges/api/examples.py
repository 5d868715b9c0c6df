"""Example calls for the OpenAPI document."""

from participants.api.schema import Example

AWARD = Example(
    body={"participant_id": "user_123", "badge_code": "power_user", "metadata": {"trigger": "10th_login"}},
    answer={
        "participant_id": "user_123",
        "badge_code": "power_user",
        "badge_name": "Power User",
        "icon": "https://cdn.example.com/badges/power.png",
        "rarity": "rare",
        "earned_at": "2026-02-14T10:00:00Z",
        "already_earned": False,
    },
)

BADGES = Example(
    answer={
        "participant_id": "user_123",
        "badges": [
            {
                "code": "power_user",
                "name": "Power User",
                "description": "Log in 10 times",
                "icon": "https://cdn.example.com/badges/power.png",
                "rarity": "rare",
                "earned": True,
                "earned_at": "2026-02-14T10:00:00Z",
            }
        ],
        "total": 8,
        "earned_count": 3,
    },
)

_STREAK_MASTER = {
    "code": "streak_master",
    "name": "Streak Master",
    "description": "Maintain a 30-day streak",
    "icon_url": "https://cdn.example.com/badges/streak.png",
    "category": "achievement",
    "rarity": "epic",
    "display_order": 10,
    "criteria": {"metric": "total_earned", "min": 30000},
}

CREATED = Example(
    body=_STREAK_MASTER,
    answer={
        "id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
        "tenant_id": "01a2002f-5cb4-70b6-8ee3-5f1b1a4a3e5d",
        **_STREAK_MASTER,
        "is_active": True,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    },
)
