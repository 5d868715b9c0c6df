"""Examples of requests and answers for the OpenAPI document."""

from typing import Any

from participants.api.schema import Example


def _objective(code: str, label: str, minimum: int, **given: Any) -> dict[str, Any]:
    condition = given.pop("condition", {"type": "count", "min": minimum})
    about = {"event_types": [code], "expression": None, "condition": condition, "prerequisites": []}
    return {"code": code, "label": label, **about, **given}


_TERMS: dict[str, Any] = {
    "duration_type": "fixed",
    "starts_at": "2026-02-01T00:00:00Z",
    "ends_at": "2026-03-01T00:00:00Z",
    "duration_days": None,
    "enrolment": "automatic",
    "completion": "all",
    "milestones": [{"objectives": 1, "grants": [{"type": "points", "amount": 50}]}],
    "completion_grants": [{"type": "points", "amount": 500}],
    "is_repeatable": False,
}
_NAMES = {"code": "spring_quest", "name": "Spring Quest"}
_OVER_100 = {"condition": {"field": "amount", "operator": "gte", "value": 100}}
_ADVENTURE = [
    _objective("login", "Log in on five occasions", 5),
    _objective(
        "purchase", "Spend 250 in larger orders", 250,
        expression=_OVER_100, condition={"type": "sum", "min": 250, "field": "amount"}, prerequisites=["login"],
    ),
]  # fmt: skip

CREATED = Example(
    body={
        **_NAMES,
        "description": "Come back, then buy.",
        "duration_type": "fixed",
        "starts_at": "2026-02-01T00:00:00Z",
        "ends_at": "2026-03-01T00:00:00Z",
        "objectives": _ADVENTURE,
        "milestones": _TERMS["milestones"],
        "completion_grants": _TERMS["completion_grants"],
    },
    answer={
        "id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
        "tenant_id": "01a20030-0c1e-7b55-9d0e-4f4b7a8b9c10",
        **_NAMES,
        "description": "Come back, then buy.",
        "is_active": True,
        "display_order": 0,
        "created_at": "2026-01-14T10:00:00Z",
        "updated_at": "2026-01-14T10:00:00Z",
        **_TERMS,
        "objectives": _ADVENTURE,
    },
)

OPEN = Example(
    answer={
        "challenges": [
            {
                **_NAMES,
                "description": "Come back, then buy.",
                **_TERMS,
                "objectives": [
                    {"code": "login", "label": "Log in on five occasions", "target": 5, "prerequisites": []},
                    {
                        "code": "purchase",
                        "label": "Spend 250 in larger orders",
                        "target": 250,
                        "prerequisites": ["login"],
                    },
                ],
            }
        ]
    }
)


def _standing(status: str, enrolled_at: str | None, logins: int, spent: float) -> dict[str, Any]:
    return {
        **_NAMES,
        "status": status,
        "enrolled_at": enrolled_at,
        "ends_at": "2026-03-01T00:00:00Z",
        "completed_at": None,
        "completions": 0,
        "objectives": [
            {
                "code": "login",
                "label": "Log in on five occasions",
                "current": logins,
                "target": 5,
                "completed": logins >= 5,
            },
            {
                "code": "purchase",
                "label": "Spend 250 in larger orders",
                "current": spent,
                "target": 250,
                "completed": False,
            },
        ],
    }


ENROLLED = Example(
    body={"participant_id": "user_123"},
    answer={"participant_id": "user_123", **_standing("active", "2026-02-14T10:00:00Z", 0, 0)},
)

STANDINGS = Example(
    answer={
        "participant_id": "user_123",
        "challenges": [_standing("active", "2026-02-14T10:00:00Z", 5, 129.5)],
    }
)
