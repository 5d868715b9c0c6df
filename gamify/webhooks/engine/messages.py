"""The message that represents a domain event in deliveries, in the feed and in the stream."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from participants.engine import instant_text


class Event(Protocol):
    @property
    def id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def tenant_id(self) -> UUID: ...
    @property
    def data(self) -> Any: ...
    @property
    def actor_json(self) -> Mapping[str, str] | None: ...
    @property
    def request_id(self) -> str | None: ...


def message_of(event: Event) -> dict[str, Any]:
    """Return the body of a delivery, which is also an entry of the feed (docs/contract.md §14)."""
    return {
        "id": str(event.id),
        "type": event.type,
        "occurred_at": instant_text(event.occurred_at),
        "tenant_id": str(event.tenant_id),
        "data": event.data,
        "actor": event.actor_json,
        "request_id": event.request_id,
    }


def message_bytes(message: Mapping[str, Any]) -> bytes:
    """Return the JSON bytes that are signed and sent."""
    return _ENCODER.encode(message).encode()


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
