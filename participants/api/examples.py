"""Examples of calls for the OpenAPI document, taken from the specification."""

from collections.abc import Iterable
from typing import Any

from participants.api.schema import Example

_JANE = {
    "participant_id": "user_123",
    "display_name": "Jane Doe",
    "avatar_url": "https://example.com/avatar.png",
    "attributes": {"plan": "premium", "signup_source": "referral"},
}

_REGISTERED = {
    **_JANE,
    "timezone": None,
    "visible": True,
    "points": {"balance": 0, "total_earned": 0, "total_spent": 0},
    "tier": None,
    "badges": [],
    "streaks": None,
    "rewards_claimed": 0,
    "total_events": 0,
    "first_seen_at": "2026-02-14T10:00:00Z",
    "last_seen_at": "2026-02-14T10:00:00Z",
    "is_active": True,
    "created_at": "2026-02-14T10:00:00Z",
}

_PROFILE = {
    **_REGISTERED,
    "attributes": {"plan": "premium"},
    "points": {"balance": 1500, "total_earned": 5000, "total_spent": 3500},
    "tier": {
        "code": "gold",
        "name": "Gold",
        "level": 3,
        "color": "#FFD700",
        "achieved_at": "2026-02-01T10:00:00Z",
        "next_tier": {
            "code": "platinum",
            "name": "Platinum",
            "points_required": 10000,
            "points_remaining": 8500,
        },
    },
    "badges": [
        {
            "code": "first_steps",
            "name": "First Steps",
            "description": None,
            "icon": None,
            "rarity": "common",
            "earned": True,
            "earned_at": "2026-01-15T10:00:00Z",
        }
    ],
    "streaks": {"current": 7, "longest": 21, "last_activity_at": "2026-02-14T08:15:00Z"},
    "rewards_claimed": 3,
    "total_events": 156,
    "first_seen_at": "2026-01-01T10:00:00Z",
    "last_seen_at": "2026-02-14T10:00:00Z",
    "created_at": "2026-01-01T10:00:00Z",
}

REGISTER = Example(body=_JANE, answer=_REGISTERED)

PROFILE = Example(answer=_PROFILE)

UPDATE = Example(
    body={"display_name": "Jane Smith", "attributes": {"plan": "enterprise", "team_id": "team_42"}},
    answer={
        **_PROFILE,
        "display_name": "Jane Smith",
        "attributes": {"plan": "enterprise", "team_id": "team_42"},
    },
)

STATE = Example(
    answer={
        "participant_id": "user_123",
        "points": {"balance": 1500, "total_earned": 5000, "total_spent": 3500},
        "tier": {"code": "gold", "name": "Gold", "level": 3},
        "badges": [
            {"code": "first_steps", "name": "First Steps", "earned": True, "earned_at": "2026-01-15T10:00:00Z"},
            {"code": "power_user", "name": "Power User", "earned": False, "earned_at": None},
        ],
        "streaks": {"current": 7, "longest": 21},
        "challenges": {"active": 2, "completed": 5},
        "rewards": {"total_claimed": 3},
    },
)

# One item of a page; drf-spectacular adds the page around it.
LISTED = Example(
    answer={
        "participant_id": "user_123",
        "display_name": "Jane Doe",
        "total_points": 5000,
        "available_points": 1500,
        "current_tier": "gold",
        "total_events": 156,
        "is_active": True,
        "first_seen_at": "2026-01-01T10:00:00Z",
        "last_seen_at": "2026-02-14T10:00:00Z",
    },
)

ERASED = Example(answer={"message": "Participant deleted", "participant_id": "user_123"})

_ENTRY = {
    "id": "01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95",
    "number": 1,
    "type": "award",
    "delta": 100,
    "balance_after": 100,
    "reason": "Welcome",
    "created_at": "2026-02-01T10:00:00Z",
}


def exported(sections: Iterable[str]) -> Example:
    """Return the example of an export with these sections."""
    profile = {"display_name": "Jane Doe", "attributes": {"plan": "premium"}, "balance": 100, "tier_code": "gold"}
    about: dict[str, Any] = {"participant_id": "user_123", "exported_at": "2026-02-14T10:00:00Z", "profile": profile}
    rows: dict[str, Any] = {name: [] for name in sections}
    return Example(answer={**about, **rows, "ledger_entries": [_ENTRY]})


_KEY = {
    "kind": "api_key",
    "id": "01a20030-0b1c-7d2e-8f3a-4b5c6d7e8f90",
    "label": "shop backend (bq_live_Ab3dE6…)",
}
ACTIVITY = Example(
    answer={
        "items": [
            {
                "id": "01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95",
                "at": "2026-02-14T10:00:00.100Z",
                "actor": _KEY,
                "request_id": "req-8f14e45f",
                "participant_id": "user_123",
                "type": "points.awarded",
                "data": {"transaction_id": "01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95", "delta": 100, "new_balance": 1500},
            }
        ],
        "next_cursor": None,
    }
)
CHANGES = Example(
    answer={
        "items": [
            {
                "id": "01a20032-5a1b-7c3d-8e4f-5a6b7c8d9e0f",
                "at": "2026-02-14T10:05:00Z",
                "actor": {"kind": "staff", "id": "1", "label": "alex"},
                "request_id": "req-1f0e3dad",
                "object_type": "badge",
                "object_id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
                "code": "first_purchase",
                "version": 2,
                "changes": {"name": {"before": "First purchase", "after": "First order"}},
                "reason": "Wording of the spring campaign",
            }
        ],
        "next_cursor": None,
    }
)
