"""The unit of work: the one way to write what belongs to participants (docs/decisions/0002)."""

from participants.work.idempotency import IdempotencyKeyReused, Once
from participants.work.instances import made
from participants.work.loading import Load
from participants.work.opening import unit_found, unit_of_work, unit_over
from participants.work.reading import reading
from participants.work.restarting import Restart, restartable
from participants.work.transaction import Question
from participants.work.unit import UnitOfWork

__all__ = [
    "IdempotencyKeyReused",
    "Load",
    "Once",
    "Question",
    "Restart",
    "UnitOfWork",
    "made",
    "reading",
    "restartable",
    "unit_found",
    "unit_of_work",
    "unit_over",
]
