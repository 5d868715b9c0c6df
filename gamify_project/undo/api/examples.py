"""Examples of undos for the OpenAPI document."""

from participants.api.schema import Example

UNDO_ID = "01a20a4f-2d4b-77c1-8f84-f9a0c8493055"
_CAUSE = {"kind": "api_key", "id": "01a20030-0b1c-7d2e-8f3a-4b5c6d7e8f90"}
_UNDO = {
    "id": UNDO_ID,
    "dry_run": False,
    "cause": _CAUSE,
    "since": "2026-02-14T09:00:00Z",
    "until": "2026-02-14T10:00:00Z",
    "reason": "Leaked key",
    "error": None,
    "actor": {
        "kind": "api_key",
        "id": "01a20dad-72d1-7a22-9b4f-6c2d3e4f5a61",
        "label": "back office (bq_live_Xy9kL2…)",
    },
    "request_id": "req-8f14e45f",
    "created_at": "2026-02-14T10:05:00Z",
}
ASKED = Example(
    body={"cause": _CAUSE, "since": _UNDO["since"], "until": _UNDO["until"], "reason": "Leaked key"},
    answer={**_UNDO, "status": "queued", "reversed": 0, "kept": 0, "waiting": 0, "finished_at": None},
)
REPORT = Example(
    answer={
        **_UNDO,
        "status": "done",
        "reversed": 412,
        "kept": 1,
        "waiting": 0,
        "finished_at": "2026-02-14T10:05:03Z",
        "by_type": {
            "event": {"reversed": 200, "kept": 0, "waiting": 0},
            "points": {"reversed": 212, "kept": 1, "waiting": 0},
        },
    }
)
KEPT = Example(
    answer={
        "items": [
            {
                "type": "points",
                "id": "01a20032-4f0a-7b6e-9d2f-6a1c0e8b7d95",
                "participant_id": "user_123",
                "reason": "100 points would be taken back, but the participant has only 30 left",
            }
        ],
        "next_cursor": None,
    }
)
