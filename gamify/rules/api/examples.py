"""Examples of calls for the OpenAPI document."""

from participants.api.schema import Example

_BIG_SPENDER = {
    "code": "big_spender",
    "name": "Big spender",
    "priority": 10,
    "starts_at": "2026-02-01T00:00:00Z",
    "ends_at": None,
    "when": {
        "event_types": ["purchase_completed"],
        "changes": [],
        "expression": {"condition": {"field": "amount", "operator": "gte", "value": 100}},
    },
    "then": [
        {"type": "points", "field": "amount", "factor": 1.5, "rounding": "floor", "max": 500},
        {"type": "badge", "code": "power_user"},
    ],
}

CREATED = Example(
    body={**_BIG_SPENDER, "limits": {"per_day": 3, "cooldown_seconds": 600}},
    answer={
        "id": "01a20030-16b8-773b-a1f2-79a6f16a65ee",
        "tenant_id": "01a20030-0c1e-7b55-9d0e-4f4b7a8b9c10",
        **_BIG_SPENDER,
        "limits": {"per_day": 3, "per_week": None, "ever": None, "cooldown_seconds": 600},
        "description": None,
        "is_active": True,
        "created_at": "2026-02-14T10:00:00Z",
        "updated_at": "2026-02-14T10:00:00Z",
    },
)

_GRANTED = {
    "type": "points",
    "id": "01a20030-2f13-7b4e-8d6c-2fb13d4e5f75",
    "name": "Points",
    "amount": 180,
    "source": {"type": "rule", "code": "big_spender"},
}

SIMULATED = Example(
    body={
        "participant_id": "user_42",
        "event": {"event_name": "purchase_completed", "properties": {"amount": 120}},
    },
    answer={
        "event_id": None,
        "fact_id": None,
        "status": "processed",
        "rewards_granted": [_GRANTED],
        "trace": {
            "facts": [
                {
                    "name": "purchase_completed",
                    "is_change": False,
                    "depth": 0,
                    "heard": [
                        {
                            "type": "rule",
                            "code": "big_spender",
                            "result": "matched",
                            "conditions": [
                                {"field": "amount", "operator": "gte", "expected": 100, "actual": 120, "holds": True}
                            ],
                        }
                    ],
                }
            ],
            "granted": [_GRANTED],
            "refused": [
                {
                    "type": "badge",
                    "source": {"type": "rule", "code": "big_spender"},
                    "reason": "They have badge power_user already",
                }
            ],
            "cut": [],
        },
    },
)
