"""Settlements: changes that time alone causes, such as points that have expired.

A unit of work writes due settlements before services see its participants. A read takes them into account and writes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from participants.actors import ActorKind
from participants.models import Participant
from participants.registries import Registry
from participants.work.unit import UnitOfWork


@dataclass(frozen=True)
class Settlement:
    """One kind of change that time alone causes.

    - `is_due(participant, now)` looks at the row only; it must not query.
    - `settle(work, participants)` writes the change, in the unit that has locked these participants.
    - `as_if_settled(participants, now)` gives unsaved rows the values that they would have after `settle`.
    """

    is_due: Callable[[Participant, datetime], bool]
    settle: Callable[[UnitOfWork, Sequence[Participant]], object]
    as_if_settled: Callable[[Sequence[Participant], datetime], object]


settlements: Registry[Settlement] = Registry("Settlement")


def settle(work: UnitOfWork, participants: Iterable[Participant]) -> None:
    """Write the due settlements of these participants, whom this unit has locked.

    Their actor is time, and not the caller whose request happens to find them due.
    """
    participants = tuple(participants)
    for name, settlement in settlements.items():
        if due := _due(settlement, participants, work.now):
            with work.acting_as(ActorKind.SWEEP, name, name):
                settlement.settle(work, due)


def as_if_settled(participants: Sequence[Participant], *, now: datetime) -> None:
    """Change rows that are only read to the values that they would have if all due settlements had been written."""
    for settlement in settlements.values():
        if due := _due(settlement, participants, now):
            settlement.as_if_settled(due, now)


def _due(settlement: Settlement, participants: Iterable[Participant], now: datetime) -> Sequence[Participant]:
    return [participant for participant in participants if settlement.is_due(participant, now)]


def load_deferred(work: UnitOfWork, participant: Participant) -> None:
    """Read the columns that `only` left out when the unit was opened, and write the due settlements of this participant."""
    if missing := participant.get_deferred_fields():
        participant.refresh_from_db(fields=missing)
        settle(work, [participant])
