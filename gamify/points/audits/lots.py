"""Recomputes the expiring credits of one participant from the entries that credited, used and restored them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gamify.points.audits.rows import Entry, UndoneEntry
from gamify.points.models import EntryType

Problem = tuple[str, Any, Any]
"""A difference: what is wrong, what was expected, what was found."""


@dataclass
class Lot:
    """An expiring credit as stored (`rest`) and as recomputed from the entries (`left`, None until an entry credits it).

    `expired` counts the points that `expire` entries took from it.
    """

    entry_id: UUID
    rest: int
    expires_at: datetime
    left: int | None = None
    expired: int = 0


class Lots:
    """Applies ledger entries to expiring credits by the rules of the services that write them (`gamify.points.services.lots`)."""

    def __init__(self, lots: Iterable[Lot]) -> None:
        self._lots = {str(lot.entry_id): lot for lot in lots}

    def __bool__(self) -> bool:
        return bool(self._lots)

    def read(self, entry: Entry, undone: UndoneEntry | None) -> Iterator[Problem]:
        if entry.type == EntryType.AWARD:
            yield from self._credit(entry)
        elif entry.delta < 0:
            yield from self._take(entry)
        elif undone is not None:
            self._restore(entry, undone)

    def _credit(self, entry: Entry) -> Iterator[Problem]:
        lot = self._lots.get(str(entry.id))
        if (lot and lot.expires_at) != entry.expires_at:
            yield "expires_at", lot and lot.expires_at, entry.expires_at
        if lot is not None:
            lot.left = entry.delta

    def _take(self, entry: Entry) -> Iterator[Problem]:
        used = entry.used or {}
        if entry.type == EntryType.EXPIRE:
            yield from self._expire(entry)
        elif sum(used.values()) > -entry.delta:
            yield "used", f"at most {-entry.delta}", sum(used.values())
        for entry_id, part in used.items():
            yield from self._take_from(entry_id, part, entry)

    def _expire(self, entry: Entry) -> Iterator[Problem]:
        """Check an `expire` entry: it takes its whole amount from a credit that expired at the same instant."""
        used = entry.used or {}
        if sum(used.values()) != -entry.delta:
            yield "used", -entry.delta, sum(used.values())
        for entry_id, part in used.items():
            if lot := self._lots.get(entry_id):
                lot.expired += part
                if lot.expires_at != entry.expires_at:
                    yield "expires_at", lot.expires_at, entry.expires_at

    def _take_from(self, entry_id: str, part: int, entry: Entry) -> Iterator[Problem]:
        lot = self._lots.get(entry_id)
        if lot is None or lot.left is None:
            yield "used", "a credit of the same participant", entry_id
            return
        least = lot.left if entry.type == EntryType.EXPIRE else 1
        if not least <= part <= lot.left:
            yield "used", f"{least} to {lot.left} of {entry_id}", part
        elif (lot.expires_at <= entry.created_at) != (entry.type == EntryType.EXPIRE):
            state = "has expired" if entry.type == EntryType.EXPIRE else "has not expired"
            yield "used", f"a credit that {state}", lot.expires_at
        lot.left -= part

    def _restore(self, entry: Entry, undone: UndoneEntry) -> None:
        """Give points back to the credits that `undone` used. Points of an expired credit became permanent."""
        for entry_id, part in (undone.used or {}).items():
            lot = self._lots.get(entry_id)
            if lot is not None and lot.left is not None and lot.expires_at > entry.created_at:
                lot.left += part

    def expired_amount(self, entry_id: UUID) -> int:
        lot = self._lots.get(str(entry_id))
        return lot.expired if lot else 0

    @property
    def next_expiry_at(self) -> datetime | None:
        return min((lot.expires_at for lot in self._lots.values() if lot.rest), default=None)

    def check_rows(self, balance: int) -> Iterator[tuple[str | None, str, Any, Any]]:
        """Compare the stored credits with the recomputed ones.

        Yields (id of the credit's entry, what, expected, found). The id is None if the credits together are wrong.
        """
        for entry_id, lot in self._lots.items():
            if lot.left is None:
                yield entry_id, "entry", "an award of the same participant", None
            elif lot.rest != lot.left:
                yield entry_id, "rest", lot.left, lot.rest
        if (rests := sum(lot.rest for lot in self._lots.values())) > balance:
            yield None, "rests of credits", f"at most {balance}", rests
