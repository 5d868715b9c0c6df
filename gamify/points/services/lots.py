"""Credits that expire: what is left of them, what is spent of them, and what becomes of them in time.

Who has none costs nothing: their row says so (`next_expiry_at`). What has expired is taken from the balance by whichever unit of work
locks its participant next, before anything else looks at them, and by a sweep where nobody does.
"""

from bisect import insort
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from gamify.points import engine
from gamify.points.models import EntryType, ExpiringCredit, LedgerEntry
from gamify.points.selectors import totals_of
from gamify.points.services.writing import Note, emit_entry, write_entry
from participants.models import Participant
from participants.work import UnitOfWork

EXPIRED = "expired in this unit"
TOTALS = ("balance", "total_earned", "total_spent", "total_expired")


def add_expiring_credit(
    work: UnitOfWork, participant: Participant, entry: LedgerEntry, *, expires_at: datetime
) -> None:
    """Note that what `entry` has credited expires."""
    row = ExpiringCredit(
        tenant_id=work.tenant.pk,
        participant_id=participant.pk,
        entry_id=entry.pk,
        rest=entry.delta,
        expires_at=expires_at,
    )
    insort(unspent_credits(work, participant), row, key=_order)
    work.add(row)
    _update_next_expiry(work, participant)


def unspent_credits(work: UnitOfWork, participant: Participant) -> list[ExpiringCredit]:
    """Those of which something is left, those that expire first first: one list for the whole unit."""
    return _unspent_by_participant(work, [participant])[participant.pk]


def _unspent_by_participant(
    work: UnitOfWork, participants: Iterable[Participant]
) -> Mapping[UUID, list[ExpiringCredit]]:
    """One question for all whose credits have not been read in this unit."""
    known: dict[UUID, list[ExpiringCredit]] = work.cache.setdefault(ExpiringCredit, {})
    unknown = [each for each in participants if each.pk not in known]
    known |= {each.pk: [] for each in unknown}
    if having := [each.pk for each in unknown if each.next_expiry_at is not None]:
        rows = ExpiringCredit.objects.unspent().filter(tenant_id=work.tenant.pk, participant_id__in=having)
        for row in rows.order_by("expires_at", "id"):
            known[row.participant_id].append(row)
    return known


def _order(row: ExpiringCredit) -> tuple[datetime, UUID]:
    return row.expires_at, row.pk


def _update_next_expiry(work: UnitOfWork, participant: Participant) -> None:
    rows = unspent_credits(work, participant)
    participant.next_expiry_at = rows[0].expires_at if rows else None


def spend(work: UnitOfWork, participant: Participant, amount: int) -> dict[str, int] | None:
    """Take `amount` of the credits that expire, as far as they go; answers what was taken of which, as `LedgerEntry.used`."""
    rows = tuple(unspent_credits(work, participant))
    taken = engine.split_debit([row.rest for row in rows], amount)
    return _take(work, participant, [(row, part) for row, part in zip(rows, taken, strict=True) if part])


def _take(
    work: UnitOfWork, participant: Participant, parts: Sequence[tuple[ExpiringCredit, int]]
) -> dict[str, int] | None:
    for row, part in parts:
        row.rest -= part
        work.change(row, "rest")
        if not row.rest:
            unspent_credits(work, participant).remove(row)
    if parts:
        _update_next_expiry(work, participant)
    return {str(row.entry_id): part for row, part in parts} or None


def take_back(work: UnitOfWork, participant: Participant, entry: LedgerEntry, amount: int) -> dict[str, int] | None:
    """Take `amount` of what `entry` has credited: what is left of it first, and then what is least missed, which is what would
    expire where it expires itself, and what does not where it does not.
    """
    rows = unspent_credits(work, participant)
    own = next((row for row in rows if row.entry_id == entry.pk), None)
    parts = [(own, min(own.rest, amount))] if own else []
    left = amount - sum(part for _, part in parts)
    if entry.expires_at is None:
        left -= min(left, participant.balance - sum(row.rest for row in rows))
    others = [row for row in rows if row is not own]
    taken = engine.split_debit([row.rest for row in others], left)
    parts += [(row, part) for row, part in zip(others, taken, strict=True) if part]
    return _take(work, participant, parts)


def restore(work: UnitOfWork, participant: Participant, used: Mapping[str, int] | None) -> None:
    """Put back what a debit took of credits that expire. What has expired meanwhile comes back for good."""
    if not used:
        return
    rows = unspent_credits(work, participant)
    for row in _credits_by_entry(work, participant, used):
        if row.expires_at > work.now:
            row.rest += used[str(row.entry_id)]
            work.change(row, "rest")
            if row not in rows:
                insort(rows, row, key=_order)
    _update_next_expiry(work, participant)


def _credits_by_entry(work: UnitOfWork, participant: Participant, used: Mapping[str, int]) -> Iterable[ExpiringCredit]:
    """Of each the object that this unit knows already, if it does."""
    known = {row.entry_id: row for row in unspent_credits(work, participant)}
    rows = ExpiringCredit.objects.of(participant).filter(entry_id__in=list(used))
    return [known.get(row.entry_id, row) for row in rows]


# --- what time brings about ---------------------------------------------------------------------------------------------


def is_due(participant: Participant, now: datetime) -> bool:
    return participant.next_expiry_at is not None and participant.next_expiry_at <= now


def settle(work: UnitOfWork, participants: Sequence[Participant]) -> None:
    """Take from each balance what has expired and was not spent: an entry for each credit."""
    rows_of = _unspent_by_participant(work, participants)
    for participant in participants:
        for row in tuple(rows_of[participant.pk]):
            if row.expires_at <= work.now:
                _expire(work, participant, row)
        _update_next_expiry(work, participant)


def _expire(work: UnitOfWork, participant: Participant, row: ExpiringCredit) -> None:
    totals = engine.after_expiry(totals_of(participant), row.rest)
    columns = {"used": {str(row.entry_id): row.rest}, "expires_at": row.expires_at}
    work.cache[EXPIRED, row.entry_id] = row.rest
    entry = write_entry(work, participant, totals, kind=EntryType.EXPIRE, note=Note(), is_seen=False, **columns)
    _take(work, participant, [(row, row.rest)])
    emit_entry(work, "points.expired", participant, entry, expired_at=row.expires_at.isoformat())


def expired_amount(work: UnitOfWork, participant: Participant, entry: LedgerEntry) -> int:
    """How much of what `entry` has credited has expired, in this unit or before."""
    if entry.expires_at is None:
        return 0
    gone = LedgerEntry.objects.of(participant).filter(type=EntryType.EXPIRE, expires_at=entry.expires_at)
    used: Iterable[Mapping[str, int] | None] = gone.values_list("used", flat=True)
    before = sum(each.get(str(entry.pk), 0) for each in used if each)
    return before + int(work.cache.get((EXPIRED, entry.pk), 0))


def as_if_settled(participants: Sequence[Participant], now: datetime) -> None:
    """Let rows that are only read leave out what has expired, swept or not.

    Totals and credits are asked for in one statement: a sweep since the rows were read is then in both of them or in neither.
    """
    known = {each.pk: each for each in participants}
    rests = ExpiringCredit.objects.expired(now).filter(tenant_id=OuterRef("tenant_id"), participant_id=OuterRef("pk"))
    gone = rests.order_by().values("participant_id").annotate(sum=Sum("rest")).values("sum")
    rows = Participant.objects.filter(tenant_id__in={each.tenant_id for each in participants}, pk__in=list(known))
    for pk, rest, *totals in rows.annotate(gone=Coalesce(Subquery(gone), 0)).values_list("pk", "gone", *TOTALS):
        participant = known[pk]
        for column, value in zip(TOTALS, totals, strict=True):
            setattr(participant, column, value)
        participant.balance -= rest
        participant.total_expired += rest
        participant.next_expiry_at = None  # looked at once, it must not be taken twice
