"""Reads of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass

from gamify.points.engine import Totals
from gamify.points.models import LedgerEntry
from participants.models import Participant


@dataclass(frozen=True)
class EntryPage:
    """A page of entries, newest first, and how many there are over all pages."""

    entries: Sequence[LedgerEntry]
    total: int


def totals_of(participant: Participant | None) -> Totals:
    """The running totals; zeros for an unknown participant."""
    if participant is None:
        return Totals()
    return Totals(
        balance=participant.balance,
        earned=participant.total_earned,
        spent=participant.total_spent,
        expired=participant.total_expired,
    )


def entries_page(participant: Participant | None, *, page: int, page_size: int) -> EntryPage:
    """Found by number, so that the last page costs what the first does. `page` is 1-indexed."""
    if participant is None:
        return EntryPage((), 0)
    newest = participant.ledger_count - (page - 1) * page_size
    if newest < 1:
        return EntryPage((), participant.ledger_count)
    numbers = {"number__lte": newest, "number__gt": newest - page_size}
    entries = LedgerEntry.objects.of(participant).filter(**numbers).newest_first()
    return EntryPage(list(entries), participant.ledger_count)
