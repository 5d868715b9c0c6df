"""The examples of the published documentation, with placeholders filled in."""

from typing import Any

from participants.api.schema import Example

DEFINITION_ID = "01a20030-16b8-773b-a1f2-79a6f16a65ee"

_CONFIG: dict[str, Any] = {
    "event_types": ["user.login"],
    "window": {"type": "calendar", "period": "daily", "timezone": "UTC", "reset_time": "00:00"},
    "condition": {"type": "count", "min": 1},
    "milestones": [
        {"threshold": 7, "reward_item_id": None, "repeatable": False},
        {"threshold": 30, "reward_item_id": None, "repeatable": False},
        {"threshold": 100, "reward_item_id": None, "repeatable": False},
    ],
    "at_risk_seconds": 3600,
}

_NEW: dict[str, Any] = {
    "name": "Daily Login Streak",
    "description": "Track consecutive days users log in",
    "config": _CONFIG,
}

_RECORD: dict[str, Any] = {
    "id": DEFINITION_ID,
    "tenant_id": "acme",
    **_NEW,
    "status": "active",
    "created_at": "2025-01-15T10:00:00Z",
    "updated_at": "2025-01-15T10:00:00Z",
}

_CHANGES: dict[str, Any] = {
    "name": "Updated Streak Name",
    "description": "New description text",
    "config": {
        "event_types": ["user.login"],
        "window": {"type": "calendar", "period": "daily", "timezone": "America/New_York", "reset_time": "04:00"},
        "condition": {"type": "count", "min": 1},
        "milestones": [{"threshold": 7, "reward_item_id": None, "repeatable": False}],
    },
}

CREATE = Example(body=_NEW, answer=_RECORD)
RECORD = Example(_RECORD)
RECORDS = Example({"definitions": [_RECORD]})
UPDATE = Example(body=_CHANGES, answer={**_RECORD, **_CHANGES, "updated_at": "2025-01-15T11:00:00Z"})
PAUSE = Example(body={"status": "paused"}, answer={**_RECORD, "status": "paused", "updated_at": "2025-01-15T11:00:00Z"})
ARCHIVED = Example({**_RECORD, "status": "archived", "updated_at": "2025-01-15T11:00:00Z"})

_PROGRESS: dict[str, Any] = {
    "id": "47c81b78-bcad-4ccd-a9a6-98b2f6a2cb9d",
    "definition_id": DEFINITION_ID,
    "definition_name": "Daily Login Streak",
    "tenant_id": "acme",
    "user_id": "user_123",
    "current_count": 8,
    "longest_count": 21,
    "at_risk": False,
    "current_window_key": "2025-12-23",
    "current_window_progress": {"count": 2, "sum": 0.0, "distinct": []},
    "current_window_satisfied": True,
    "last_activity_at": "2025-12-23T14:59:10.276Z",
    "seconds_until_window_close": 32449,
    "next_milestone": 30,
    "earned_milestones": [7],
    "window": _CONFIG["window"],
    "condition": _CONFIG["condition"],
    "milestones": _CONFIG["milestones"],
    "definition_config": _CONFIG,
}

PROGRESS = Example(_PROGRESS)
PROGRESS_LIST = Example({"streaks": [_PROGRESS]})
