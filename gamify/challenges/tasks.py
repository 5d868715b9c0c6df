"""Periodic tasks of challenges."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain

from celery import shared_task
from django.utils import timezone

from gamify.challenges.selectors.due import challenges_with_due
from gamify.challenges.services import expire_in_chunks
from participants.database import all_tenants
from participants.models import Tenant
from participants.work import Swept, round_robin

# Well below the time limit of workers. What is left then is still due, and the next run continues with it.
BUDGET_SECONDS = 120.0


@shared_task(name="challenges.expire_ended")
def expire_ended() -> Swept:
    """Announce the enrolments of all tenants that ended before the challenge was completed, tenants in turn."""
    now = timezone.now()
    of_tenants: defaultdict[Tenant, list[Iterator[int]]] = defaultdict(list)
    with all_tenants():
        challenges = challenges_with_due(now=now)
    for challenge in challenges:
        of_tenants[challenge.tenant].append(expire_in_chunks(challenge=challenge, now=now))
    work = [(tenant, chain.from_iterable(chunks)) for tenant, chunks in of_tenants.items()]
    return round_robin("challenges", work, seconds=BUDGET_SECONDS)
