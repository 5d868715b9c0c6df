"""Ranks in standings that are over, kept in the process: they are asked for with every page, and do not change.

What changes one after all (somebody hidden, a late event, a reversal) raises the tenant's revision, which is read with each answer.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from uuid import UUID

MAX_KEPT = 100_000

Standing = tuple[UUID, int, int]
"""A track, the code of the period that is asked for, and the day on which: yesterday's end is not today's."""

Ranks = Mapping[UUID, int]

_kept: dict[tuple[Standing, UUID], tuple[int, int | None]] = {}
_lock = Lock()


def kept_ranks(
    standing: Standing, ids: Sequence[UUID], *, revision: int, find: Callable[[Sequence[UUID]], Ranks]
) -> Ranks:
    """Ranks of those of `ids` who had one; `find` is asked for those that are not known as of `revision`."""
    known = {who: kept for who in ids if (kept := _kept.get((standing, who))) and kept[0] == revision}
    missing = [who for who in ids if who not in known]
    ranks = {who: rank for who, (_, rank) in known.items() if rank is not None}
    if missing:
        found = find(missing)
        _keep({(standing, who): (revision, found.get(who)) for who in missing})
        ranks |= found
    return ranks


def _keep(more: Mapping[tuple[Standing, UUID], tuple[int, int | None]]) -> None:
    with _lock:
        if len(_kept) >= MAX_KEPT:
            _kept.clear()
        _kept.update(more)
