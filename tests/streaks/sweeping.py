"""Helpers for tests of sweeps: ticks and sweeps at given instants, and the announcements they emitted."""

from datetime import UTC, datetime, timedelta
from typing import Any

from participants.ids import new_id
from participants.models import DomainEvent, Participant, Tenant
from streaks.models import ParticipantStreak, Streak
from streaks.selectors.due import BREAKS, RISKS, SweepKind
from streaks.services import create_streak, record, review_streak, sweep

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MIDNIGHT = datetime(2026, 2, 14, tzinfo=UTC)
NOON = MIDNIGHT + 12 * HOUR
BREAK = MIDNIGHT + 2 * DAY
WARNING = BREAK - 4 * HOUR


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


def create_runs_of_three_days(tenant: Tenant, streak: Streak, number: int) -> list[str]:
    """Create `number` participants with a run of three days that ended at NOON. Returns their external ids."""
    seen = {"first_seen_at": NOON, "last_seen_at": NOON}
    people = [Participant(tenant=tenant, external_id=f"user_{n}", **seen) for n in range(number)]
    Participant.objects.bulk_create(people, batch_size=1000)
    run = {"revision": 1, "runs": [[NOON.toordinal() - 2, 3]], "count": 3, "last_activity_at": NOON}
    due = {"at_risk_at": WARNING, "breaks_at": BREAK, "created_at": NOON}
    rows = [
        ParticipantStreak(id=new_id(), tenant=tenant, participant=person, streak=streak, **run, **due)
        for person in people
    ]
    ParticipantStreak.objects.bulk_create(rows, batch_size=1000)
    return [person.external_id for person in people]


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
