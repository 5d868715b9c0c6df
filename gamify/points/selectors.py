"""Reads of the ledger, and of what multiplies awards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast

from django.db.models import OuterRef, Q, QuerySet, Subquery, Sum

from gamify.points.engine import Boost, Totals
from gamify.points.models import Boost as BoostRow
from gamify.points.models import EntryType, ExpiringCredit, LedgerEntry
from participants.catalog import Catalog
from participants.models import Participant, Tenant

BOOSTS = "boosts"
SPENDING = (EntryType.DEDUCT, EntryType.CLAIM, EntryType.REFUND)


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


def totals_at(participant: Participant | None, at: datetime, *, now: datetime) -> Totals:
    """The totals as they were at `at`, up to `now`: what was written since is undone. What had expired by then was gone,
    whenever that was written down. `participant` is as they stand at `now`, read in the same snapshot.
    """
    totals = totals_of(participant)
    if participant is None:
        return totals
    for kind, delta in _sums_since(participant, at):
        totals = _before_entry(totals, EntryType(kind), delta)
    return _add_back(totals, _not_yet_expired(participant, at, now=now))


def _sums_since(participant: Participant, at: datetime) -> Iterator[tuple[str, int]]:
    """Sums of what was written behind `at`, by the kind of entry; a reversal moves what the entry it undoes has moved."""
    undone = LedgerEntry.objects.filter(tenant_id=OuterRef("tenant_id"), pk=OuterRef("reverses_id")).values("type")
    rows = LedgerEntry.objects.of(participant).filter(created_at__gt=at).annotate(undone=Subquery(undone[:1]))
    rows = rows.exclude(type=EntryType.EXPIRE, expires_at__lte=at)
    for kind, undone_kind, delta in rows.order_by().values_list("type", "undone").annotate(Sum("delta")):
        yield (undone_kind if kind == EntryType.REVERSAL else kind), delta


def _before_entry(totals: Totals, kind: EntryType, delta: int) -> Totals:
    """Before an entry of this kind moved the balance by `delta`."""
    totals = replace(totals, balance=totals.balance - delta)
    if kind == EntryType.EXPIRE:
        return replace(totals, expired=totals.expired + delta)
    if kind in SPENDING:
        return replace(totals, spent=totals.spent + delta)
    return replace(totals, earned=totals.earned - delta)


def _not_yet_expired(participant: Participant, at: datetime, *, now: datetime) -> int:
    """What has expired since `at` and stands in no entry yet, of which `now` leaves it out."""
    rows = ExpiringCredit.objects.of(participant).expired(now).filter(expires_at__gt=at)
    return rows.aggregate(rest=Sum("rest"))["rest"] or 0


def _add_back(totals: Totals, amount: int) -> Totals:
    return replace(totals, balance=totals.balance + amount, expired=totals.expired - amount)


def tenants_with_expired_credits(*, now: datetime) -> "QuerySet[Tenant]":
    """The tenants in whose balances something has expired, disabled ones too: one look into the index for each."""
    due = ExpiringCredit.objects.filter(tenant_id=OuterRef("pk")).due(now)
    first = due.order_by("expires_at").values("expires_at")[:1]
    return Tenant.objects.alias(first_at=Subquery(first)).filter(first_at__isnull=False).order_by("pk")


def expired_credits(
    tenant: Tenant, *, behind: ExpiringCredit | None, limit: int, now: datetime
) -> Sequence[ExpiringCredit]:
    """What has expired and still stands in a balance, what expired first first, behind one that was looked at."""
    rows = ExpiringCredit.objects.filter(tenant_id=tenant.pk).due(now)
    if behind is not None:
        later = Q(expires_at__gt=behind.expires_at) | Q(pk__gt=behind.pk)
        rows = rows.filter(later, expires_at__gte=behind.expires_at)
    return list(rows.order_by("expires_at", "pk")[:limit])


def unspent_credits(participant: Participant, *, now: datetime, limit: int) -> Sequence[ExpiringCredit]:
    """Of which something is left that has not expired, those that expire first first."""
    rows = ExpiringCredit.objects.of(participant).unspent().filter(expires_at__gt=now)
    return list(rows.order_by("expires_at", "id")[:limit])


def load_boosts(tenant: Tenant) -> Sequence[Boost]:
    """The catalog's part: those that are switched on, also before and after their time."""
    rows = BoostRow.objects.of(tenant).active()
    return [Boost(row.multiplier, row.starts_at, row.ends_at) for row in rows]


def boosts_in(catalog: Catalog) -> Sequence[Boost]:
    return cast("Sequence[Boost]", catalog.part(BOOSTS))


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
