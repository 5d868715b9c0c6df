"""Celery tasks of rewards."""

from celery import shared_task
from django.utils import timezone

from participants.database import all_tenants
from participants.work import Swept, round_robin
from rewards.selectors import rewards_ready_to_serve
from rewards.services import serve_pending_in_chunks

# Less than the time after which a worker is killed. The next run does the rest.
BUDGET_SECONDS = 120.0


@shared_task(name="rewards.serve_waiting")
def serve_waiting() -> Swept:
    """Serve the pending claims of rewards that have stock."""
    now = timezone.now()
    with all_tenants():
        rewards = list(rewards_ready_to_serve())
    work = [(reward.tenant, serve_pending_in_chunks(reward=reward, now=now)) for reward in rewards]
    return round_robin("rewards", work, seconds=BUDGET_SECONDS)
