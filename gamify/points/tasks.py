"""What beat starts: points expire."""

from celery import shared_task
from django.utils import timezone

from gamify.points.selectors import tenants_with_expired_credits
from gamify.points.services import expire_in_chunks
from participants.work import round_robin

# Well before a worker is killed: what is left then is still due, and the next beat's.
BUDGET_SECONDS = 120.0


@shared_task(name="points.expire")
def expire() -> None:
    """Take from every balance what has expired and was not spent."""
    now = timezone.now()
    work = [(tenant, expire_in_chunks(tenant=tenant, now=now)) for tenant in tenants_with_expired_credits(now=now)]
    round_robin("points", work, seconds=BUDGET_SECONDS)
