"""What has expired is taken from balances that no other write has touched since.

Answers never depend on any of this. Opening a unit of work over a participant settles what has expired of theirs; twice, late or in
parallel does no harm.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from gamify.facts import services as facts
from gamify.points.models import ExpiringCredit
from gamify.points.selectors import expired_credits
from participants.catalog import catalog_of
from participants.models import Tenant
from participants.work import bisect_failures, restartable, unit_for_ids

CHUNK = 500
RETRY_DELAY = timedelta(minutes=5)
EXPIRED = "points.expired"


def expire(*, tenant: Tenant, now: datetime) -> int:
    """Take expired points from every balance of the tenant. Returns the number of credits processed."""
    return sum(expire_in_chunks(tenant=tenant, now=now))


def expire_in_chunks(*, tenant: Tenant, now: datetime) -> Iterator[int]:
    """Generator: like `expire`, but processes one chunk per step and yields the number of credits processed."""
    last = None
    while chunk := expired_credits(tenant, behind=last, limit=CHUNK, now=now):
        last = chunk[-1]
        yield bisect_failures(
            chunk,
            lambda part: _settle(tenant=tenant, chunk=part, now=now),
            on_failure=lambda failed: _postpone(tenant, failed, now=now),
        )


def _postpone(tenant: Tenant, failed: ExpiringCredit, *, now: datetime) -> None:
    """Set `retry_at`, so that a failing row is not the first row of every sweep."""
    ExpiringCredit.objects.filter(tenant_id=tenant.pk, pk=failed.pk).update(retry_at=now + RETRY_DELAY)


@restartable
def _settle(*, tenant: Tenant, chunk: Sequence[ExpiringCredit], now: datetime) -> int:
    """Settle the participants of `chunk`, except those that another transaction has locked: that transaction settles them."""
    has_listeners = facts.has_listeners(catalog_of(tenant), EXPIRED)
    with unit_for_ids(tenant, [each.participant_id for each in chunk], now=now) as work:
        if has_listeners:
            for participant in work.locked_participants.values():
                facts.publish_changes(work, participant, now=now)
        return len(chunk)
