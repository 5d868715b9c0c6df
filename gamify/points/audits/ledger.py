"""The audit `ledger`: every entry, expiring credit and total of a tenant, one participant after the other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from gamify.points.audits.account import Account
from gamify.points.audits.lots import Lot
from gamify.points.audits.rows import Entry, UndoneEntry
from gamify.points.models import ExpiringCredit, LedgerEntry
from participants.auditing import (
    Audit,
    Drift,
    ProgressReporter,
    chunks_of,
    count_rows,
    group_with_participants,
    orphan_drift,
    stream_rows,
)
from participants.models import Participant, Tenant

TOTALS = (
    "external_id", "ledger_count", "balance", "total_earned", "total_spent", "total_expired", "next_expiry_at",
)  # fmt: skip
CREDITS = 1
Rows = Iterator[tuple[int, tuple[Any, ...]]]


def _find(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    streams = (_credits(tenant, report_progress), _entries(tenant, report_progress))
    for participant_id, totals, rows in group_with_participants(
        tenant, TOTALS, *streams, report_progress=report_progress
    ):
        if totals is None:
            yield orphan_drift(participant_id, "ledger entries or credits", rows)
        else:
            yield from _check_participant(dict(zip(TOTALS, totals, strict=True)), rows)


def _credits(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[tuple[Any, ...]]:
    rows = ExpiringCredit.objects.filter(tenant_id=tenant.pk).order_by("participant_id", "expires_at", "pk")
    yield from stream_rows(rows.values_list("participant_id", "entry_id", "rest", "expires_at"), report_progress)


def _entries(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[tuple[UUID, Entry, UndoneEntry | None]]:
    """Yield (participant id, entry, the entry that it reverses or None). Chunks with reversals cost one query more."""
    rows = LedgerEntry.objects.filter(tenant_id=tenant.pk).order_by("participant_id", "number")
    for chunk in chunks_of(map(Entry._make, stream_rows(rows.values_list(*Entry._fields), report_progress))):
        undone = _undone_entries(tenant, [entry.reverses_id for entry in chunk if entry.reverses_id is not None])
        for entry in chunk:
            yield entry.participant_id, entry, undone.get(entry.reverses_id)


def _undone_entries(tenant: Tenant, ids: Sequence[UUID]) -> Mapping[UUID | None, UndoneEntry]:
    if not ids:
        return {}
    rows = LedgerEntry.objects.filter(tenant_id=tenant.pk, pk__in=ids).values_list(*UndoneEntry._fields)
    return {undone.id: undone for undone in map(UndoneEntry._make, rows)}


def _check_participant(row: dict[str, Any], rows: Rows) -> Iterator[Drift]:
    lots, entries = _split_lots(rows)
    account = Account(f"participant {row['external_id']}", lots)
    for _, (_, entry, undone) in entries:
        yield from account.read(entry, undone)
    yield from account.check_row(row)


def _split_lots(rows: Rows) -> tuple[Sequence[Lot], Iterable[Any]]:
    lots: list[Lot] = []
    for number, row in rows:
        if number != CREDITS:
            return lots, chain([(number, row)], rows)
        lots.append(Lot(*row[1:]))
    return lots, ()


LEDGER = Audit(count_rows(Participant, LedgerEntry, ExpiringCredit), _find)
