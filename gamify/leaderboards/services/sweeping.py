"""Delete scores that no board needs: those of old tracks, and those at the start of past days (OPENING and MOVED)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from gamify.leaderboards.engine.periods import Kind, Period
from gamify.leaderboards.engine.ranking.drafts import Slot
from gamify.leaderboards.models import Leaderboard, Score, ScoreRange
from gamify.leaderboards.services.storing import lock_boards
from participants.models import Tenant
from participants.work import reading

DAYS_TO_KEEP = 3  # includes today and yesterday in every time zone


def sweep(*, tenant: Tenant, now: datetime) -> Iterator[int]:
    """Generator: deletes one period of one track per step, and yields the number of deleted scores."""
    for slot in _unneeded(tenant, now=now):
        yield _delete(tenant, slot)


def _unneeded(tenant: Tenant, *, now: datetime) -> list[Slot]:
    """The tracks and periods whose scores no board needs.

    One statement finds them. So a track whose board is created meanwhile cannot be among them.
    """
    used = Leaderboard.objects.of(tenant).active().values("track")
    ranges = ScoreRange.objects.filter(tenant_id=tenant.pk)
    found = ranges.filter(~Q(track__in=used) | _in_past_days(now)).order_by("track", "period")
    return list(found.values_list("track", "period").distinct())


def _in_past_days(now: datetime) -> Q:
    day = (now - timedelta(days=DAYS_TO_KEEP)).toordinal()
    opening, moved = Kind.OPENING, Kind.MOVED
    return Q(period__range=(Period(opening).code, Period(opening, day).code)) | Q(
        period__range=(Period(moved).code, Period(moved, day).code)
    )


@transaction.atomic
def _delete(tenant: Tenant, slot: tuple[UUID, int]) -> int:
    """Delete the scores of a track in one period, and their ranges, under the lock of the tenant's boards.

    Both are deleted in one transaction, because scores without ranges would look like an empty board.
    """
    with reading(tenant):
        lock_boards(tenant)
        track, period = slot
        ScoreRange.objects.filter(tenant_id=tenant.pk, track=track, period=period).delete()
        deleted, _ = Score.objects.filter(tenant_id=tenant.pk, track=track, period=period).delete()
        return deleted
