"""Calls as the spec has them, with placeholders filled in."""

from typing import Any

from participants.api.schema import Example

RECORD = Example(
    body={"participant_id": "user_42", "streak_code": "daily_login", "timestamp": "2026-02-14T08:15:00Z"},
    answer={
        "streak_code": "daily_login",
        "new_count": 1,
        "is_new_record": True,
        "longest_count": 1,
        "already_recorded": False,
    },
)

STREAKS = Example(
    {
        "participant_id": "user_42",
        "streaks": [
            {
                "code": "daily_login",
                "name": "Daily Login",
                "current_count": 7,
                "longest_count": 21,
                "last_recorded_at": "2026-02-14T08:15:00Z",
                "is_at_risk": False,
                "period": "daily",
            }
        ],
    }
)

_STREAK: dict[str, Any] = {
    "code": "daily_login",
    "name": "Daily Login",
    "fact_type": "login",
    "period": "daily",
    "grace_periods": 1,
    "reset_on_miss": True,
    "color": "#0891B2",
}

STREAK = Example(
    body=_STREAK,
    answer={
        "id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
        "tenant_id": "01a2002f-f1dc-7468-868b-44cfcdeb0451",
        **_STREAK,
        "description": None,
        "fact_filter": None,
        "grace_period_hours": 24,
        "icon_url": None,
        "is_active": True,
        "display_order": 0,
        "created_at": "2026-01-10T08:00:00Z",
        "updated_at": "2026-02-12T15:30:00Z",
    },
)
