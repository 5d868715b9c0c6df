"""The unit of work: the only way to write rows of participants (docs/decisions/0002)."""

from participants.work.answers import OMIT_IF_NONE, answer_from, result_from
from participants.work.idempotency import IdempotencyKeyReused, IdempotencyRequest
from participants.work.loading import Load
from participants.work.open_units import wait_for_open_units
from participants.work.opening import unit_for_ids, unit_for_query, unit_of_work
from participants.work.outbox import after_commit
from participants.work.reading import reading
from participants.work.restarting import Restart, restart_with_participants, restartable
from participants.work.settling import Settlement, as_if_settled, load_deferred, settle, settlements
from participants.work.snapshots import snapshot
from participants.work.sweeping import Swept, bisect_failures, round_robin
from participants.work.unit import UnitOfWork, before_flush, closing_steps

__all__ = [
    "OMIT_IF_NONE",
    "IdempotencyKeyReused",
    "IdempotencyRequest",
    "Load",
    "Restart",
    "Settlement",
    "Swept",
    "UnitOfWork",
    "after_commit",
    "answer_from",
    "as_if_settled",
    "before_flush",
    "bisect_failures",
    "closing_steps",
    "load_deferred",
    "reading",
    "restart_with_participants",
    "restartable",
    "result_from",
    "round_robin",
    "settle",
    "settlements",
    "snapshot",
    "unit_for_ids",
    "unit_for_query",
    "unit_of_work",
    "wait_for_open_units",
]
