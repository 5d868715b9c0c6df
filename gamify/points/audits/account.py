"""One participant's entries, read in the order of their numbers: what each must say, and the totals that they lead to.

Nothing is kept of an entry that has been read but the sums, and what is left of each credit that expires.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from gamify.points import engine
from gamify.points.audits.lots import Lot, Lots
from gamify.points.audits.rows import Entry, UndoneEntry
from gamify.points.models import EntryType
from participants.auditing import Drift

TOTAL_OF: Mapping[str, str] = {
    EntryType.AWARD: "total_earned",
    EntryType.ADJUST: "total_earned",
    EntryType.DEDUCT: "total_spent",
    EntryType.CLAIM: "total_spent",
    EntryType.REFUND: "total_spent",
    EntryType.EXPIRE: "total_expired",
}
KINDS = frozenset(EntryType.values)
CREDITS = (EntryType.AWARD, EntryType.REFUND)
DEBITS = (EntryType.DEDUCT, EntryType.CLAIM, EntryType.EXPIRE)
UNDOES: Mapping[str, Sequence[str]] = {
    EntryType.REFUND: (EntryType.CLAIM,),
    EntryType.REVERSAL: (EntryType.AWARD, EntryType.DEDUCT, EntryType.ADJUST),
}


class Account:
    """The recomputed account. `totals` and `number` result from the entries that were read so far."""

    def __init__(self, name: str, lots: Iterable[Lot]) -> None:
        self.name = name
        self.number = 0
        self.totals = {"balance": 0, "total_earned": 0, "total_spent": 0, "total_expired": 0}
        self.lots = Lots(lots)
        self._last_deviation = 0
        self._drifts: list[Drift] = []

    def read(self, entry: Entry, undone: UndoneEntry | None) -> list[Drift]:
        """Check the next entry, and return its drifts. `undone` is the entry that it reverses, if any."""
        self._drifts = []
        self._check_number(entry)
        self._add(entry, undone)
        self._check_delta(entry)
        if entry.multiplier is not None or entry.base_amount is not None:
            self._check_multiplier(entry)
        if entry.reverses_id is not None or entry.type in UNDOES:
            self._check_reversal(entry, undone)
        if self.lots or entry.used or entry.expires_at is not None:
            for what, expected, found in self.lots.read(entry, undone):
                self._note(entry, what, expected, found)
        return self._drifts

    def _note(self, entry: Entry, what: str, expected: Any, found: Any) -> None:
        self._drifts.append(Drift(f"{self.name}, entry {entry.id}", what, expected, found))

    def _check_number(self, entry: Entry) -> None:
        if entry.number != self.number + 1:
            self._note(entry, "number", self.number + 1, entry.number)
        self.number = entry.number

    def _add(self, entry: Entry, undone: UndoneEntry | None) -> None:
        """Add the entry to the totals. A wrong `balance_after` is reported once, not again for each later entry."""
        totals, total = self.totals, _total_column(entry, undone)
        totals["balance"] += entry.delta
        totals[total] += entry.delta if total == "total_earned" else -entry.delta
        deviation = entry.balance_after - totals["balance"]
        if deviation and deviation != self._last_deviation:
            self._note(entry, "balance_after", totals["balance"], entry.balance_after)
        self._last_deviation = deviation

    def _check_delta(self, entry: Entry) -> None:
        if entry.type in CREDITS and entry.delta < 0:
            self._note(entry, "delta", "above 0", entry.delta)
        elif entry.type in DEBITS and entry.delta > 0:
            self._note(entry, "delta", "below 0", entry.delta)
        elif entry.type not in KINDS:
            self._note(entry, "type", f"one of {', '.join(EntryType.values)}", entry.type)

    def _check_multiplier(self, entry: Entry) -> None:
        if entry.type != EntryType.AWARD or entry.base_amount is None or entry.multiplier is None:
            self._note(entry, "multiplier", "an award with its base amount", entry.multiplier)
        elif (total := engine.multiply(entry.base_amount, entry.multiplier)) != entry.delta:
            self._note(entry, "base_amount × multiplier", total, entry.delta)

    def _check_reversal(self, entry: Entry, undone: UndoneEntry | None) -> None:
        kinds = UNDOES.get(entry.type, ())
        if undone is None or undone.participant_id != entry.participant_id or undone.type not in kinds:
            self._note(
                entry, "reverses", f"an earlier entry of theirs, {' or '.join(kinds) or 'none'}", entry.reverses_id
            )
        elif undone.number >= entry.number:
            self._note(entry, "reverses", f"a number below {entry.number}", undone.number)
        elif not self._is_complete_reversal(entry, undone):
            self._note(entry, "delta", -undone.delta, entry.delta)

    def _is_complete_reversal(self, entry: Entry, undone: UndoneEntry) -> bool:
        """Whether the reversal moves the right amount.

        A debit is given back completely. Of a credit, at most the unexpired part is taken back; less if it was spent.
        """
        if undone.delta < 0:
            return entry.delta == -undone.delta
        return -undone.delta + self.lots.expired_amount(undone.id) <= entry.delta < 0

    def check_row(self, row: dict[str, Any]) -> Iterator[Drift]:
        """Compare the participant's `row` and their expiring credits with what the entries led to. Call it after the last entry."""
        expected = {"ledger_count": self.number, **self.totals, "next_expiry_at": self.lots.next_expiry_at}
        for what, value in expected.items():
            if row[what] != value:
                yield Drift(self.name, what, value, row[what])
        for lot, what, wanted, found in self.lots.check_rows(self.totals["balance"]):
            yield Drift(f"{self.name}, credit of entry {lot}" if lot else self.name, what, wanted, found)


def _total_column(entry: Entry, undone: UndoneEntry | None) -> str:
    """The total that an entry changes. A reversal changes the total of the entry that it undoes.

    If that entry or the type is unknown, guess by the sign.
    """
    kind = undone.type if undone is not None and entry.type == EntryType.REVERSAL else entry.type
    return TOTAL_OF.get(kind, "total_earned" if entry.delta < 0 else "total_spent")
