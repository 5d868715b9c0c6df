"""Tasks that run undos."""

from celery import shared_task
from django.db.models import QuerySet

from gamify_project.undo.models import UNFINISHED, Undo
from gamify_project.undo.running import run
from gamify_project.undo.services import TASK
from participants.database import all_tenants
from participants.work import round_robin

# Well below the time limit of workers. The next sweep continues with what is left.
BUDGET_SECONDS = 240.0


@shared_task(name=TASK)
def run_one(undo_id: str) -> None:
    """Run one undo that was just asked for."""
    _run(Undo.objects.filter(pk=undo_id))


@shared_task(name="undo.run_waiting")
def run_waiting() -> None:
    """Continue all undos that are not finished: a wake-up was lost, or a worker was killed."""
    _run(Undo.objects.all())


def _run(undos: "QuerySet[Undo]") -> None:
    with all_tenants():
        waiting = list(undos.filter(status__in=UNFINISHED).select_related("tenant").order_by("pk"))
    round_robin("undo", [(undo.tenant, run(undo)) for undo in waiting], seconds=BUDGET_SECONDS)
