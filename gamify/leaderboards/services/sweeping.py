"""What no board needs any more is deleted: tracks that were left, and who moved on days that are long over."""

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

DAYS_TO_KEEP = 3  # in every zone today and yesterday are among them


def sweep(*, tenant: Tenant, now: datetime) -> Iterator[int]:
    """A period of a track each time it is asked; answers how many scores went."""
    for slot in _unneeded(tenant, now=now):
        yield _delete(tenant, slot)


def _unneeded(tenant: Tenant, *, now: datetime) -> list[Slot]:
    """In one statement: a track that has ranges in it has its board, too."""
    used = Leaderboard.objects.of(tenant).active().values("track")
    ranges = ScoreRange.objects.filter(tenant_id=tenant.pk)
    found = ranges.filter(~Q(track__in=used) | _of_old_days(now)).order_by("track", "period")
    return list(found.values_list("track", "period").distinct())


def _of_old_days(now: datetime) -> Q:
    day = (now - timedelta(days=DAYS_TO_KEEP)).toordinal()
    opening, moved = Kind.OPENING, Kind.MOVED
    return Q(period__range=(Period(opening).code, Period(opening, day).code)) | Q(
        period__range=(Period(moved).code, Period(moved, day).code)
    )


@transaction.atomic
def _delete(tenant: Tenant, slot: tuple[UUID, int]) -> int:
    """Together, under the lock: ranges without their scores would be taken for an empty board."""
    with reading(tenant):
        lock_boards(tenant)
        track, period = slot
        ScoreRange.objects.filter(tenant_id=tenant.pk, track=track, period=period).delete()
        deleted, _ = Score.objects.filter(tenant_id=tenant.pk, track=track, period=period).delete()
        return deleted
