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
    """Record that the points credited by `entry` expire at `expires_at`."""
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
    """The participant's credits with points left, in the order of their expiry. All callers of a unit share one list."""
    return _unspent_by_participant(work, [participant])[participant.pk]


def _unspent_by_participant(
    work: UnitOfWork, participants: Iterable[Participant]
) -> Mapping[UUID, list[ExpiringCredit]]:
    """The shared lists of `unspent_credits`. One query reads the credits of all participants that this unit has not read yet."""
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
    """Take up to `amount` points from expiring credits. Returns what was taken from each, as in `LedgerEntry.used`."""
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
    """Take back `amount` of the points that `entry` credited. Returns what was taken from expiring credits, as in
    `LedgerEntry.used`.

    1. Take what is left of the entry's own expiring credit.
    2. If the entry does not expire, take from the points that do not expire.
    3. Take the remainder from the other expiring credits, in the order of their expiry.
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
    """Put the points of a debit back into the expiring credits that it used. Points of a credit that has expired since
    become permanent.
    """
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
    """The credits named in `used`. Rows that this unit has loaded already are the same objects, so that changes do not diverge."""
    known = {row.entry_id: row for row in unspent_credits(work, participant)}
    rows = ExpiringCredit.objects.of(participant).filter(entry_id__in=list(used))
    return [known.get(row.entry_id, row) for row in rows]


# --- settlement of expired points ---------------------------------------------------------------------------------------


def is_due(participant: Participant, now: datetime) -> bool:
    return participant.next_expiry_at is not None and participant.next_expiry_at <= now


def settle(work: UnitOfWork, participants: Sequence[Participant]) -> None:
    """Take expired, unspent points from each balance, with one `expire` entry per credit."""
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
    """How many of the points that `entry` credited have expired, in this unit or before."""
    if entry.expires_at is None:
        return 0
    expirations = LedgerEntry.objects.of(participant).filter(type=EntryType.EXPIRE, expires_at=entry.expires_at)
    used: Iterable[Mapping[str, int] | None] = expirations.values_list("used", flat=True)
    before = sum(each.get(str(entry.pk), 0) for each in used if each)
    return before + int(work.cache.get((EXPIRED, entry.pk), 0))


def as_if_settled(participants: Sequence[Participant], now: datetime) -> None:
    """Subtract expired points from `participants` in memory, as `settle` would, without writing.

    One statement reads both the totals and the expired credits. A sweep that committed after the rows were read is then
    visible in both or in neither.
    """
    known = {each.pk: each for each in participants}
    rests = ExpiringCredit.objects.expired(now).filter(tenant_id=OuterRef("tenant_id"), participant_id=OuterRef("pk"))
    expired = rests.order_by().values("participant_id").annotate(sum=Sum("rest")).values("sum")
    rows = Participant.objects.filter(tenant_id__in={each.tenant_id for each in participants}, pk__in=list(known))
    for pk, rest, *totals in rows.annotate(expired=Coalesce(Subquery(expired), 0)).values_list(
        "pk", "expired", *TOTALS
    ):
        participant = known[pk]
        for column, value in zip(TOTALS, totals, strict=True):
            setattr(participant, column, value)
        participant.balance -= rest
        participant.total_expired += rest
        participant.next_expiry_at = None  # so that a second call does not subtract again
