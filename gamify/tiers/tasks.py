"""Celery tasks of tiers."""

from celery import shared_task
from django.utils import timezone

from gamify.tiers.models import LadderRun
from gamify.tiers.services import apply_in_chunks
from gamify.tiers.services.ladder import TASK
from participants.database import all_tenants
from participants.work import Swept, round_robin

# Well below the time limit of workers. The next run continues with what is left.
BUDGET_SECONDS = 120.0


@shared_task(name=TASK)
def apply_ladders() -> Swept:
    """Move participants up whose points are enough for a higher tier, where staff asked for it."""
    now = timezone.now()
    with all_tenants():
        runs = list(LadderRun.objects.filter(finished_at=None).select_related("tenant").order_by("requested_at"))
    return round_robin(
        "ladders", [(run.tenant, apply_in_chunks(run=run, now=now)) for run in runs], seconds=BUDGET_SECONDS
    )
