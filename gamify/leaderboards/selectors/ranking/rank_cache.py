"""A cache of ranks in closed periods. It lives in the process.

Each page compares its ranks with ranks of the previous period, which rarely change. A late event, a reversal or a hidden
participant can still change them. Then the tenant's revision grows (`Folding.revision`), and entries of an older revision are
ignored. Every answer reads the revision.
"""

from collections.abc import Iterable, Mapping
from threading import Lock
from uuid import UUID

MAX_ENTRIES = 100_000

ClosedPeriod = tuple[UUID, int, int]
"""A track, the code of the period that the reader asked for, and the ordinal of the local day.

The ranks belong to the period before. The day is part of the key because the comparison of all time is with the start of today.
"""

Ranks = Mapping[UUID, int | None]
"""Ranks by participant id. None for a participant who was not on the board."""

_entries: dict[tuple[ClosedPeriod, UUID], tuple[int, int | None]] = {}
_lock = Lock()


def get(closed: ClosedPeriod, ids: Iterable[UUID], *, revision: int) -> Ranks:
    """The ranks of those participants that are cached for this revision."""
    found = {participant_id: _entries.get((closed, participant_id)) for participant_id in ids}
    return {
        participant_id: entry[1]
        for participant_id, entry in found.items()
        if entry is not None and entry[0] == revision
    }


def put(closed: ClosedPeriod, ranks: Ranks, *, revision: int) -> None:
    """Add ranks. A full cache is emptied first."""
    with _lock:
        if len(_entries) >= MAX_ENTRIES:
            _entries.clear()
        _entries.update({(closed, participant_id): (revision, rank) for participant_id, rank in ranks.items()})
