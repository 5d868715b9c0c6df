"""Which worker accepts the next connection: the one that has the fewest.

A connection stays with the worker that accepted it. If each accepted what it could, one of two workers might get all
connections of a client pool, and do all the work. The workers therefore see each other's numbers in shared memory.
"""

import math
import mmap
from collections.abc import Iterable

FRESH_SECONDS = 1.0
MAX_WORKERS = 256
_FIELDS = 2  # number of connections, time of the last heartbeat
_BYTES = 8


def may_accept(own: int, others: Iterable[tuple[float, float]], *, now: float) -> bool:
    """Whether a worker with `own` connections accepts another one.

    `others` are the numbers and heartbeats (monotonic seconds) of all workers. A worker without a fresh heartbeat hangs, is
    stopping or is full, so its number does not count.
    """
    return own <= min((number for number, beat in others if now - beat < FRESH_SECONDS), default=math.inf)


class Slots:
    """The numbers of all workers, in memory that they share. Create it before the workers are forked."""

    def __init__(self, number: int = MAX_WORKERS) -> None:
        self._values = memoryview(mmap.mmap(-1, number * _FIELDS * _BYTES)).cast("d")
        self._free = list(range(number))

    def take(self) -> "Slot | None":
        """Return a slot for a new worker; None if all are taken. The process that forks calls this."""
        return Slot(self, self._free.pop(0)) if self._free else None

    def release(self, slot: "Slot | None") -> None:
        """Clear the slot of a worker that has ended, however it ended."""
        if slot and slot.index not in self._free:
            slot.withdraw()
            self._free.append(slot.index)

    def write(self, index: int, number: float, beat: float) -> None:
        self._values[index * _FIELDS] = number
        self._values[index * _FIELDS + 1] = beat

    def pairs(self) -> Iterable[tuple[float, float]]:
        values = self._values.tolist()
        return zip(values[::_FIELDS], values[1::_FIELDS], strict=True)


class Slot:
    """The number of one worker."""

    def __init__(self, slots: Slots, index: int) -> None:
        self.index = index
        self._slots = slots

    def publish(self, connections: int, *, now: float) -> None:
        self._slots.write(self.index, connections, now)

    def withdraw(self) -> None:
        """Stop to count for the others: this worker accepts no connections."""
        self._slots.write(self.index, 0.0, -math.inf)

    def may_accept(self, connections: int, *, now: float) -> bool:
        return may_accept(connections, self._slots.pairs(), now=now)
