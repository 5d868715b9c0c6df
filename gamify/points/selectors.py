"""Reads of the ledger, of expiring credits and of boosts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum

from gamify.points.engine import Boost, Totals
from gamify.points.models import Boost as BoostRow
from gamify.points.models import EntryType, ExpiringCredit, LedgerEntry
from participants.catalog import CatalogPart
from participants.models import Participant, Tenant

SPENDING = (EntryType.DEDUCT, EntryType.CLAIM, EntryType.REFUND)


@dataclass(frozen=True)
class EntryPage:
    """A page of entries, newest first. `total` counts the entries of all pages."""

    entries: Sequence[LedgerEntry]
    total: int


def totals_of(participant: Participant | None) -> Totals:
    """The running totals of the participant's row. All zero for an unknown participant."""
    if participant is None:
        return Totals()
    return Totals(
        balance=participant.balance,
        earned=participant.total_earned,
        spent=participant.total_spent,
        expired=participant.total_expired,
    )


def totals_at(participant: Participant | None, at: datetime, *, now: datetime) -> Totals:
    """The totals at the instant `at`, which is not after `now`.

    `participant` is the row as of `now`, with expired points left out, read in the same snapshot. The entries written after
    `at` are subtracted from it. Points count as expired from their `expires_at` on, even if the `expire` entry was written later.
    """
    totals = totals_of(participant)
    if participant is None:
        return totals
    for kind, delta in _sums_since(participant, at):
        totals = _before_entry(totals, EntryType(kind), delta)
    unexpired = _not_yet_expired(participant, at, now=now)
    return replace(totals, balance=totals.balance + unexpired, expired=totals.expired - unexpired)


def _sums_since(participant: Participant, at: datetime) -> Iterator[tuple[str, int]]:
    """Yield (type of entry, sum of `delta`) over the entries written after `at`.

    A reversal is summed under the type of the entry that it undoes, since it moves the same total. `expire` entries of
    points that had expired by `at` are left out.
    """
    undone = LedgerEntry.objects.filter(tenant_id=OuterRef("tenant_id"), pk=OuterRef("reverses_id")).values("type")
    rows = LedgerEntry.objects.of(participant).filter(created_at__gt=at).annotate(undone=Subquery(undone[:1]))
    rows = rows.exclude(type=EntryType.EXPIRE, expires_at__lte=at)
    for kind, undone_kind, delta in rows.order_by().values_list("type", "undone").annotate(Sum("delta")):
        yield (undone_kind if kind == EntryType.REVERSAL else kind), delta


def _before_entry(totals: Totals, kind: EntryType, delta: int) -> Totals:
    """The totals before entries of this type moved the balance by `delta`."""
    totals = replace(totals, balance=totals.balance - delta)
    if kind == EntryType.EXPIRE:
        return replace(totals, expired=totals.expired + delta)
    if kind in SPENDING:
        return replace(totals, spent=totals.spent + delta)
    return replace(totals, earned=totals.earned - delta)


def _not_yet_expired(participant: Participant, at: datetime, *, now: datetime) -> int:
    """Points that expired after `at` and have no `expire` entry yet. The participant's row as of `now` leaves them out."""
    rows = ExpiringCredit.objects.of(participant).expired(now).filter(expires_at__gt=at)
    return rows.aggregate(rest=Sum("rest"))["rest"] or 0


def tenants_with_expired_credits(*, now: datetime) -> "QuerySet[Tenant]":
    """The tenants with expired credits that a sweep may settle, disabled tenants included. Costs one index probe per tenant."""
    due = ExpiringCredit.objects.filter(tenant_id=OuterRef("pk")).due(now)
    first = due.order_by("expires_at").values("expires_at")[:1]
    return Tenant.objects.alias(first_at=Subquery(first)).filter(first_at__isnull=False).order_by("pk")


def expired_credits(
    tenant: Tenant, *, behind: ExpiringCredit | None, limit: int, now: datetime
) -> Sequence[ExpiringCredit]:
    """Up to `limit` expired credits that are still part of a balance, in the order of their expiry.

    `behind` is the last credit of the previous page, or None for the first page.
    """
    rows = ExpiringCredit.objects.filter(tenant_id=tenant.pk).due(now)
    if behind is not None:
        later = Q(expires_at__gt=behind.expires_at) | Q(pk__gt=behind.pk)
        rows = rows.filter(later, expires_at__gte=behind.expires_at)
    return list(rows.order_by("expires_at", "pk")[:limit])


def unspent_credits(participant: Participant, *, now: datetime, limit: int) -> Sequence[ExpiringCredit]:
    """Up to `limit` credits with unspent points that have not expired, in the order of their expiry."""
    rows = ExpiringCredit.objects.of(participant).unspent().filter(expires_at__gt=now)
    return list(rows.order_by("expires_at", "id")[:limit])


def load_boosts(tenant: Tenant) -> Sequence[Boost]:
    """The part of the catalog with the active boosts. Boosts before and after their period are included."""
    rows = BoostRow.objects.of(tenant).active()
    return [Boost(row.multiplier, row.starts_at, row.ends_at) for row in rows]


boosts_in = CatalogPart("boosts", load_boosts)


def entries_page(participant: Participant | None, *, page: int, page_size: int) -> EntryPage:
    """One page of the history, newest first; `page` counts from 1.

    Entries are found by their number, so that the last page costs the same as the first.
    """
    if participant is None:
        return EntryPage((), 0)
    newest = participant.ledger_count - (page - 1) * page_size
    if newest < 1:
        return EntryPage((), participant.ledger_count)
    numbers = {"number__lte": newest, "number__gt": newest - page_size}
    entries = LedgerEntry.objects.of(participant).filter(**numbers).newest_first()
    return EntryPage(list(entries), participant.ledger_count)
