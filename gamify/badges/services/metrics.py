"""The metric of badges: how many a participant has."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from gamify.badges.models import BadgeAward
from gamify.facts.engine.metrics import MetricKind
from gamify.facts.services import HistoryAmount, column_metric, register_metric
from participants.models import DomainEvent, Tenant

BADGES_COUNT = "badges_count"


def _add_badge(event: DomainEvent) -> Iterator[tuple[datetime, int]]:
    yield event.occurred_at, 1


def _subtract_badge(event: DomainEvent) -> Iterator[tuple[datetime, int]]:
    """A revoked badge is taken out of the time at which it was earned."""
    yield datetime.fromisoformat(event.data["earned_at"]), -1


def _badges_in_history(tenant: Tenant, participant_ids: Sequence[UUID]) -> Iterator[HistoryAmount]:
    awards = BadgeAward.objects.filter(tenant_id=tenant.pk, participant_id__in=participant_ids)
    for participant_id, earned_at in awards.values_list("participant_id", "earned_at"):
        yield HistoryAmount(participant_id, 1, earned_at)


def register() -> None:
    """Called when the apps are loaded."""
    register_metric(
        column_metric(
            "badge_count",
            label="badges earned",
            display_order=90,
            kind=MetricKind.SUM,
            badge_name=BADGES_COUNT,
            board_name=BADGES_COUNT,
            raised_by=["badge.awarded"],
            changed_by={"badge.awarded": _add_badge, "badge.revoked": _subtract_badge},
            history=_badges_in_history,
        )
    )
