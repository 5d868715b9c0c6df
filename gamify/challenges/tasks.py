"""What beat starts: challenges that have ended for somebody are told of."""

from celery import shared_task
from django.utils import timezone

from gamify.challenges.selectors.due import challenges_with_due
from gamify.challenges.services import expiring
from participants.work import take_turns

# Well before a worker is killed: what is left then is still due, and the next beat's.
BUDGET_SECONDS = 120.0


@shared_task(name="challenges.expire_ended")
def expire_ended() -> None:
    """Tell of everyone who has not completed a challenge by its end."""
    now = timezone.now()
    work = [(challenge.tenant, expiring(challenge=challenge, now=now)) for challenge in challenges_with_due(now=now)]
    take_turns("challenges", work, seconds=BUDGET_SECONDS)
