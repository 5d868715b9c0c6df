"""Ranks in standings that are over, kept in the process: they are asked for with every page, and do not change.

What changes one after all (somebody hidden, a late event, a reversal) raises the tenant's revision, which is read with each answer.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from uuid import UUID

MAX_ENTRIES = 100_000

ClosedPeriod = tuple[UUID, int, int]
"""A track, the code of the period that is asked for, and the day on which: yesterday's end is not today's."""

Ranks = Mapping[UUID, int | None]
"""None for who had none."""

_kept: dict[tuple[ClosedPeriod, UUID], tuple[int, int | None]] = {}
_lock = Lock()


def get(over: ClosedPeriod, ids: Iterable[UUID], *, revision: int) -> Ranks:
    """Of those of `ids` that are known as of `revision`."""
    found = {who: _kept.get((over, who)) for who in ids}
    return {who: known[1] for who, known in found.items() if known is not None and known[0] == revision}


def put(over: ClosedPeriod, ranks: Ranks, *, revision: int) -> None:
    with _lock:
        if len(_kept) >= MAX_ENTRIES:
            _kept.clear()
        _kept.update({(over, who): (revision, rank) for who, rank in ranks.items()})
