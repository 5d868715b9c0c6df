"""The examples of the published documentation, with placeholders filled in."""

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

_TOUCHES = {"participants": 1250, "alive": 840, "at_risk": 12}

PAUSE = Example(answer={**STREAK.answer, "is_active": False, "touches": _TOUCHES})
RESUME = Example(answer={**STREAK.answer, "touches": _TOUCHES})

_ENTRY: dict[str, Any] = STREAKS.answer["streaks"][0]

FREEZE = Example(
    body={"from": "2026-02-15", "to": "2026-02-21", "reason": "On holiday, told support beforehand"}, answer=_ENTRY
)
RESTORE = Example(body={"reason": "Our application was down on the 13th"}, answer=_ENTRY)

_AMNESTY: dict[str, Any] = {
    "name": "Outage of 13 February",
    "from": "2026-02-13",
    "to": "2026-02-13",
    "timezone": "Europe/Berlin",
    "streak_codes": None,
    "reason": "Nobody could log in",
}
_DECLARED: dict[str, Any] = {
    "id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
    **_AMNESTY,
    "created_at": "2026-02-14T10:00:00Z",
    "undone_at": None,
}

AMNESTY = Example(body=_AMNESTY, answer={**_DECLARED, "touches": _TOUCHES})
LISTED_AMNESTY = Example(answer=_DECLARED)
UNDONE_AMNESTY = Example(answer={**_DECLARED, "undone_at": "2026-02-15T09:00:00Z"})

CALENDAR = Example(
    {
        "participant_id": "user_42",
        "code": "daily_login",
        "period": "daily",
        "timezone": "UTC",
        "windows": [
            {
                "key": "2026-02-14",
                "start": "2026-02-14T00:00:00Z",
                "end": "2026-02-15T00:00:00Z",
                "satisfied": True,
                "excused": False,
                "grace": False,
                "count": 7,
            }
        ],
    }
)
