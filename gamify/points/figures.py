"""Daily figures of points, as the ledger has them."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from django.db.models import Q, QuerySet, Sum

from gamify.points.models import EntryType, LedgerEntry
from participants.actors import ActorKind
from participants.figures import (
    DAY,
    POINTS,
    DaySpan,
    Figure,
    FigureSource,
    Measurement,
    Presence,
    Section,
    figure_sources,
    presences,
)
from participants.models import Participant, Tenant

LEDGER = "points_ledgerentry_changelist"
PARTICIPANTS = "participants_participant_changelist"
ISSUED, SPENT, EXPIRED, CORRECTED = "points.issued", "points.spent", "points.expired", "points.corrected"
OUTSTANDING = "points.outstanding"
FLOWS = {
    EntryType.AWARD: (ISSUED, 1),
    EntryType.DEDUCT: (SPENT, -1),
    EntryType.CLAIM: (SPENT, -1),
    EntryType.EXPIRE: (EXPIRED, -1),
    EntryType.ADJUST: (CORRECTED, 1),
    EntryType.REFUND: (CORRECTED, 1),
    EntryType.REVERSAL: (CORRECTED, 1),
}
"""The figure to which each type of entry counts, and the sign of its change there."""
BY_PARTICIPANTS = (EntryType.AWARD, EntryType.DEDUCT, EntryType.CLAIM)

_FIGURES = {
    ISSUED: Figure(
        "Points issued",
        "Points that were awarded on the day, with multipliers. What is taken back later is not subtracted here; "
        "it is a correction of the day on which it is taken back.",
        POINTS,
        LEDGER,
        "type__exact=award",
        "created_at",
    ),
    SPENT: Figure("Points spent", "Points that were deducted or paid for rewards on the day.", POINTS, LEDGER, "type__in=deduct,claim", "created_at"),
    EXPIRED: Figure(
        "Points expired",
        "Points that expired unspent. They count on the day on which the ledger took them, up to a few minutes after they expired.",
        POINTS,
        LEDGER,
        "type__exact=expire",
        "created_at",
    ),
    CORRECTED: Figure(
        "Corrections",
        "Refunds, adjustments and reversals of the day, added up. Below zero, more points were taken than given back.",
        POINTS,
        LEDGER,
        "type__in=adjust,refund,reversal",
        "created_at",
    ),
    OUTSTANDING: Figure(
        "Points outstanding",
        "The balances of all participants together at the end of the day: issued, less spent and expired, plus corrections.",
        POINTS,
        PARTICIPANTS,
        is_level=True,
    ),
}  # fmt: skip


def register() -> None:
    """Called by `AppConfig.ready`."""
    figure_sources.register("points", FigureSource(Section.POINTS, _FIGURES, _measure))
    presences.register("points", Presence(_caused_by_participants, "created_at"))


def _caused_by_participants(tenant: Tenant) -> "QuerySet[LedgerEntry]":
    """Awards and payments, without those that a definition gave: a definition also acts when time has passed."""
    given = Q(actor__startswith=f"{ActorKind.DEFINITION}:", actor__isnull=False)
    return LedgerEntry.objects.filter(~given, tenant_id=tenant.pk, type__in=BY_PARTICIPANTS)


def _measure(span: DaySpan) -> Iterator[Measurement]:
    changes: Counter[date] = Counter()
    entries = _entries(span.tenant).filter(span.has("created_at")).order_by()
    for row in entries.values("type", day=span.day_of("created_at")).annotate(sum=Sum("delta")):
        figure, sign = FLOWS[EntryType(row["type"])]
        yield Measurement(figure, row["day"], sign * int(row["sum"]))
        changes[row["day"]] += int(row["sum"])
    yield from _outstanding(span, changes)


def _outstanding(span: DaySpan, changes: Counter[date]) -> Iterator[Measurement]:
    """Go back from the balances of now: what they were at the end of a day is what they are, less all changes since."""
    balance = _sum(Participant.objects.of(span.tenant), "balance")
    later = _entries(span.tenant).filter(span.written_since_end("pk"), created_at__gte=span.ends_at)
    balance -= _sum(later, "delta")
    day = span.last
    while day >= span.first:
        yield Measurement(OUTSTANDING, day, balance)
        balance -= changes[day]
        day -= DAY


def _entries(tenant: Tenant) -> "QuerySet[LedgerEntry]":
    return LedgerEntry.objects.filter(tenant_id=tenant.pk)


def _sum(rows: "QuerySet[LedgerEntry] | QuerySet[Participant]", column: str) -> int:
    return int(rows.order_by().aggregate(sum=Sum(column))["sum"] or 0)
