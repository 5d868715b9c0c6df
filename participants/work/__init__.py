"""The unit of work: the one way to write what belongs to participants (docs/decisions/0002)."""

from participants.work.idempotency import IdempotencyKeyReused, Once
from participants.work.loading import Load
from participants.work.opening import unit_found, unit_of_work, unit_over
from participants.work.outbox import outbox_followers
from participants.work.reading import reading
from participants.work.restarting import Restart, restart_with, restartable
from participants.work.settling import Settlement, complete, foresee, settlements
from participants.work.snapshots import snapshot
from participants.work.sweeping import Chunks, by_halves, take_turns
from participants.work.underway import outlast
from participants.work.unit import UnitOfWork, conclusions, followers

__all__ = [
    "Chunks",
    "IdempotencyKeyReused",
    "Load",
    "Once",
    "Restart",
    "Settlement",
    "UnitOfWork",
    "by_halves",
    "complete",
    "conclusions",
    "followers",
    "foresee",
    "outbox_followers",
    "outlast",
    "reading",
    "restart_with",
    "restartable",
    "settlements",
    "snapshot",
    "take_turns",
    "unit_found",
    "unit_of_work",
    "unit_over",
]
