"""The metrics of points: what a participant has earned, and what they can spend."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Q, Sum

from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import HistoryAmount, column_metric, level_changed, register_metric
from gamify.points.models import EntryType, LedgerEntry
from gamify.points.services.sweeping import expire
from participants.models import DomainEvent, Tenant


def _amount_of_award(event: DomainEvent) -> Iterator[tuple[datetime, int]]:
    yield event.occurred_at, int(event.data.get("delta", event.data["amount"]))


def _amount_of_reversal(event: DomainEvent) -> Iterator[tuple[datetime, int]]:
    """The reversal of an award takes the points out of the time of the award. `delta` is negative."""
    if event.data["reversed_type"] == EntryType.AWARD:
        yield datetime.fromisoformat(event.data["reversed_at"]), int(event.data["delta"])


def _awards_in_history(tenant: Tenant, participant_ids: Sequence[UUID]) -> Iterator[HistoryAmount]:
    """Awards at the time they were made, and their reversals at the time of the award."""
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, participant_id__in=participant_ids)
    reversals = entries.filter(type=EntryType.REVERSAL)
    deltas = dict(reversals.values_list("reverses_id", "delta"))
    # Tuples, because a new board reads all entries. Ids are read only where there are reversals: they are slow to build.
    awards = entries.filter(type=EntryType.AWARD).values_list("participant_id", "delta", "created_at")
    if not deltas:
        yield from (HistoryAmount(*award) for award in awards)
        return
    for participant_id, delta, at, pk in awards.values_list("participant_id", "delta", "created_at", "pk"):
        yield HistoryAmount(participant_id, delta, at)
        if pk in deltas:
            yield HistoryAmount(participant_id, deltas[pk], at)


def _last_moves(
    tenant: Tenant, participant_ids: Sequence[UUID], *, since: datetime
) -> Mapping[UUID, tuple[datetime, int]]:
    """When each balance changed last, and by how much since then."""
    entries = LedgerEntry.objects.filter(tenant_id=tenant.pk, participant_id__in=participant_ids)
    rows = entries.order_by().values_list("participant_id")
    moves = rows.annotate(last=Max("created_at"), since=Sum("delta", filter=Q(created_at__gte=since), default=0))
    return {participant_id: (last, delta) for participant_id, last, delta in moves}


BALANCE_CHANGES = (
    "points.awarded", "points.deducted", "points.refunded", "points.expired", "points.adjusted", "points.reversed",
)  # fmt: skip


def register() -> None:
    """Called when the apps are loaded."""
    register_metric(
        column_metric(
            "total_earned",
            label="points earned",
            display_order=10,
            kind=MetricKind.SUM,
            badge_name="total_earned",
            board_name="points_earned",
            raised_by=["points.awarded"],
            changed_by={"points.awarded": _amount_of_award, "points.reversed": _amount_of_reversal},
            history=_awards_in_history,
        )
    )
    register_metric(
        column_metric(
            "balance",
            label="points to spend",
            display_order=20,
            kind=MetricKind.LEVEL,
            badge_name="balance",
            board_name="points_balance",
            raised_by=["points.awarded"],
            changed_by=dict.fromkeys(BALANCE_CHANGES, level_changed),
            last_moves=_last_moves,
            settle=expire,
        )
    )
