"""What is sent: one domain event as its receivers read it, wherever they read it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID


def message_of(*, event_id: UUID, type_name: str, occurred_at: datetime, tenant_id: UUID, data: Any) -> dict[str, Any]:
    """The body of a delivery, and an entry of the feed (contract §14)."""
    return {
        "id": str(event_id),
        "type": type_name,
        "occurred_at": instant_text(occurred_at),
        "tenant_id": str(tenant_id),
        "data": data,
    }


def instant_text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def encoded(message: Mapping[str, Any]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
