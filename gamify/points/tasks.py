"""Periodic tasks of points."""

from celery import shared_task
from django.utils import timezone

from gamify.points.selectors import tenants_with_expired_credits
from gamify.points.services import expire_in_chunks
from participants.database import all_tenants
from participants.work import Swept, round_robin

# Well below the time limit of workers. What is left then is still due, and the next run continues with it.
BUDGET_SECONDS = 120.0


@shared_task(name="points.expire")
def expire() -> Swept:
    """Expire unspent points of all tenants, in turn."""
    now = timezone.now()
    with all_tenants():
        tenants = list(tenants_with_expired_credits(now=now))
    work = [(tenant, expire_in_chunks(tenant=tenant, now=now)) for tenant in tenants]
    return round_robin("points", work, seconds=BUDGET_SECONDS)
