"""What time alone has changed about participants since they were written last, such as points that have expired.

A unit of work makes it good before anybody looks at its participants; a read takes it into account, and writes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from participants.models import Participant
from participants.registries import Registry
from participants.work.unit import UnitOfWork


@dataclass(frozen=True)
class Settlement:
    """`is_due(participant, now)` asks the row alone. `settle(work, participants)` writes, in the unit that has locked them;
    `foresee(participants, now)` gives rows that were only read the values they would have then.
    """

    is_due: Callable[[Participant, datetime], bool]
    settle: Callable[[UnitOfWork, Sequence[Participant]], object]
    as_if_settled: Callable[[Sequence[Participant], datetime], object]


settlements: Registry[Settlement] = Registry("Settlement")


def settle(work: UnitOfWork, participants: Iterable[Participant]) -> None:
    """Make good what is due, in the unit that has locked them."""
    participants = tuple(participants)
    for settlement in settlements.values():
        if due := _due(settlement, participants, work.now):
            settlement.settle(work, due)


def as_if_settled(participants: Sequence[Participant], *, now: datetime) -> None:
    """Let rows that are only read say what they would say if everything due had been made good."""
    for settlement in settlements.values():
        if due := _due(settlement, participants, now):
            settlement.as_if_settled(due, now)


def _due(settlement: Settlement, participants: Iterable[Participant], now: datetime) -> Sequence[Participant]:
    return [participant for participant in participants if settlement.is_due(participant, now)]


def load_deferred(work: UnitOfWork, participant: Participant) -> None:
    """Read what a unit that was opened with `only` some columns has left out, and make good what is due."""
    if missing := participant.get_deferred_fields():
        participant.refresh_from_db(fields=missing)
        settle(work, [participant])
