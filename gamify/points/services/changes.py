"""The request to award or deduct points."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gamify.points.services.writing import Note
from participants.work import IdempotencyRequest


@dataclass(frozen=True)
class Change:
    """A request to change one participant's balance by `amount` points. The service that is called awards or deducts them.

    `expires_at` is for awards only: points that are not spent by then expire.
    """

    participant_id: str
    amount: int
    reason: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    idempotency_key: str | None = None
    expires_at: datetime | None = None

    def idempotency(self, operation: str) -> IdempotencyRequest | None:
        if self.idempotency_key is None:
            return None
        return IdempotencyRequest(
            operation, self.idempotency_key, digest=str(self.amount), external_id=self.participant_id
        )

    @property
    def note(self) -> Note:
        return Note(self.reason, self.metadata)
