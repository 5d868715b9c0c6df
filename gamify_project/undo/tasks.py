"""Tasks that run undos, and delete old ones."""

from contextlib import ExitStack, closing
from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from gamify_project.undo.models import Undo, UndoQuerySet
from gamify_project.undo.running import run
from gamify_project.undo.services import TASK, delete_old
from participants.database import all_tenants
from participants.work import Swept, round_robin

# Well below the time limit of workers. The next sweep continues with what is left.
BUDGET_SECONDS = 240.0


@shared_task(name=TASK)
def run_one(undo_id: str) -> Swept:
    """Run one undo that was just asked for."""
    return _run(Undo.objects.filter(pk=undo_id))


@shared_task(name="undo.run_waiting")
def run_waiting() -> Swept:
    """Continue all undos that no worker has: a wake-up was lost, or a worker was killed. Delete the undos that are old."""
    swept = _run(Undo.objects.all())
    with all_tenants():
        while delete_old(before=timezone.now() - timedelta(days=settings.UNDO_RETENTION_DAYS)):
            pass
    return swept


def _run(undos: UndoQuerySet) -> Swept:
    with all_tenants():
        waiting = list(undos.waiting(timezone.now()).select_related("tenant").order_by("pk"))
    with ExitStack() as stack:
        runs = [(undo.tenant, stack.enter_context(closing(run(undo)))) for undo in waiting]
        return round_robin("undo", runs, seconds=BUDGET_SECONDS)  # an undo that is not finished then releases its lease
