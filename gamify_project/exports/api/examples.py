"""Example calls of exports for the OpenAPI document."""

from participants.api.schema import Example

_ID = "0192f0c1-7a55-7b3e-9d43-2f6c1a9be001"
_QUEUED = {
    "id": _ID,
    "kind": "ledger",
    "format": "csv",
    "filters": {"since": "2026-02-01T00:00:00Z", "type": "award"},
    "status": "queued",
    "rows": 0,
    "size": 0,
    "sha256": None,
    "url": None,
    "problem": None,
    "actor": {"kind": "api_key", "id": "0192f0c1-0000-7000-8000-000000000001", "label": "finance (bq_live_a1b2c3…)"},
    "created_at": "2026-02-14T10:00:00Z",
    "finished_at": None,
    "expires_at": None,
}
_DONE = {
    **_QUEUED,
    "status": "done",
    "rows": 1204331,
    "size": 241180412,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "url": f"/api/v1/gamify/admin/exports/{_ID}/file",
    "finished_at": "2026-02-14T10:01:00Z",
    "expires_at": "2026-02-15T10:01:00Z",
}

CREATED = Example(
    body={"kind": "ledger", "format": "csv", "filters": {"since": "2026-02-01T00:00:00Z", "type": "award"}},
    answer=_QUEUED,
)
LISTED = Example(answer={"items": [_DONE], "next_cursor": None})
DONE = Example(answer=_DONE)
FILE = Example(
    answer="participant_id,entry_id,unspent,expires_at\r\nuser_123,0192f0c1-7a55-7b3e-9d43-2f6c1a9be0aa,40,2026-12-31T23:59:59Z\r\n"
)
