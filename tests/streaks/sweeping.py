"""Helpers for tests of sweeps: ticks and sweeps at given instants, and the announcements they emitted."""

from datetime import UTC, datetime, timedelta
from typing import Any

from participants.models import DomainEvent, Tenant
from streaks.models import Streak
from streaks.selectors.due import BREAKS, RISKS, SweepKind
from streaks.services import create_streak, record, review_streak, sweep

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 2, 14, tzinfo=UTC)
NOON = MIDNIGHT + 12 * HOUR


def fresh(tenant: Tenant) -> Tenant:
    """The tenant as a new request or task reads it."""
    return Tenant.objects.get(pk=tenant.pk)


def define(tenant: Tenant, code: str = "daily", **data: Any) -> Streak:
    return create_streak(tenant=tenant, data={"code": code, "name": code, "event_types": [code], **data}, now=NOON)


def tick(tenant: Tenant, *ats: datetime, who: str = "u", code: str = "daily", now: datetime | None = None) -> Any:
    """Record ticks and return the last result. Each tick is recorded at its own instant, or at `now`."""
    for at in ats:
        result = record(tenant=fresh(tenant), participant_id=who, streak_code=code, at=at, now=now or at)
    return result


def run_sweep(tenant: Tenant, now: datetime, *kinds: SweepKind) -> int:
    """Run a sweep of each kind (default: both) and return the number of processed rows."""
    return sum(sum(sweep(tenant=fresh(tenant), kind=kind, now=now)) for kind in kinds or (RISKS, BREAKS))


def run_reviews(tenant: Tenant, now: datetime) -> int:
    due = Streak.objects.of(tenant).awaiting_review().select_related("tenant")
    return sum(sum(review_streak(streak=streak, now=now)) for streak in due)


def announcements(*types: str) -> list[tuple[str, dict[str, Any]]]:
    """(type, data) of the emitted streak events, in order, without increments. `types` restricts them."""
    events = DomainEvent.objects.filter(type__startswith="streak.").exclude(type="streak.incremented").order_by("id")
    return [(event.type, event.data) for event in events if not types or event.type in types]


def announcement_types() -> list[str]:
    return [name for name, _ in announcements()]
