"""Example calls for the OpenAPI document."""

from typing import Any

from participants.api.schema import Example

_PERIOD = {
    "leaderboard_code": "top_scorers",
    "period": "monthly",
    "period_key": "2026-02",
    "period_start": "2026-02-01T00:00:00Z",
    "period_end": "2026-03-01T00:00:00Z",
    "building": False,
    "build_progress": 1.0,
}


def _entry(rank: int, participant_id: str, name: str | None, score: int, change: str) -> dict[str, Any]:
    return {"rank": rank, "participant_id": participant_id, "display_name": name, "score": score, "change": change}


PAGE = Example(
    answer={
        **_PERIOD,
        "entries": [
            _entry(1, "user_456", "Ada", 5000, "up"),
            _entry(2, "user_123", None, 4500, "same"),
            _entry(3, "user_789", "Lin", 4200, "new"),
        ],
        "total_participants": 1250,
    }
)

RANK = Example(
    answer={
        **_PERIOD,
        "participant_id": "user_123",
        "rank": 2,
        "score": 4500,
        "total_participants": 1250,
        "percentile": 99.8,
    }
)

_BOARD = {
    "code": "top_scorers",
    "name": "Top Scorers",
    "description": "Who has earned the most points",
    "metric": "points_earned",
    "selector": {},
    "time_window": "monthly",
    "timezone": "Europe/Berlin",
    "participant_filter": {"city": "Berlin"},
}

CREATED = Example(
    body=_BOARD,
    answer={
        "id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
        "tenant_id": "01a2002f-5cb4-70b6-8ee3-5f1b1a4a3e5d",
        **_BOARD,
        "is_active": True,
        "display_order": 0,
        "building": True,
        "build_progress": 0.0,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    },
)
