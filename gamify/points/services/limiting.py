"""The limit on points that one person of the staff may adjust in one day."""

from dataclasses import dataclass
from datetime import UTC, datetime, time

from django.contrib.auth import get_user_model
from django.db.models import Sum
from django.db.models.functions import Abs

from gamify.points.models import EntryType, LedgerEntry
from participants.actors import current_actor
from participants.errors import DomainError
from participants.ids import first_id_at
from participants.models import Tenant


class DailyLimitReached(DomainError):
    """The adjustment and the earlier ones of the day, up and down together, exceed the limit."""

    code = "daily_limit_reached"
    status = 403
    text = (
        "You may adjust {:,} points per day in this tenant, up and down together. You have {:,} left until midnight UTC"
    )


@dataclass(frozen=True)
class DailyLimit:
    """The user with this id, who is the actor, may adjust `points` per day (UTC), up and down together."""

    user_id: int
    points: int

    def check(self, tenant: Tenant, delta: int, *, now: datetime) -> None:
        """Refuse an adjustment by `delta` that exceeds the limit. Call it in the transaction that writes the adjustment.

        1. Lock the account, so that another adjustment by the same person waits for the end of this transaction.
        2. Read what the person has adjusted since midnight. It includes the adjustment that held the lock before.

        Raises: DailyLimitReached.
        """
        get_user_model()._default_manager.select_for_update(no_key=True).get(pk=self.user_id)
        left = self.left(tenant, now=now)
        if abs(delta) > left:
            raise DailyLimitReached(self.points, left)

    def left(self, tenant: Tenant, *, now: datetime) -> int:
        """Return how many points the actor may still adjust today."""
        return max(0, self.points - _adjusted_today(tenant, now=now))


def _adjusted_today(tenant: Tenant, *, now: datetime) -> int:
    """Return the points that the actor has adjusted in `tenant` since midnight UTC: the sum of the absolute amounts."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time.min, UTC)
    of_actor = LedgerEntry.objects.filter(tenant_id=tenant.pk, actor=current_actor().key)
    recent = of_actor.filter(pk__gte=first_id_at(midnight))  # for the index, whose rows are ordered by id
    own = recent.filter(created_at__gte=midnight, type=EntryType.ADJUST)
    return int(own.aggregate(points=Sum(Abs("delta")))["points"] or 0)
