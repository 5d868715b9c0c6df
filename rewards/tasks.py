"""What beat starts: who was granted a reward that was out of stock gets it when stock comes."""

from celery import shared_task
from django.utils import timezone

from participants.work import round_robin
from rewards.selectors import rewards_ready_to_serve
from rewards.services import serve_pending_in_chunks

# Well before a worker is killed: what is left then is still waiting, and the next beat's.
BUDGET_SECONDS = 120.0


@shared_task(name="rewards.serve_waiting")
def serve_waiting() -> None:
    """Hand out what was granted while there was none."""
    now = timezone.now()
    work = [(reward.tenant, serve_pending_in_chunks(reward=reward, now=now)) for reward in rewards_ready_to_serve()]
    round_robin("rewards", work, seconds=BUDGET_SECONDS)
