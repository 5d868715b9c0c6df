"""Celery tasks: build the files of exports, and delete those that have expired."""

from contextlib import ExitStack, closing
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from gamify_project.exports.building import build_in_parts
from gamify_project.exports.models import Export, ExportQuerySet
from gamify_project.exports.services import BUILD_TASK, delete_expired_files
from participants import messages
from participants.api.exporting import export_kinds
from participants.database import all_tenants
from participants.work import Swept, round_robin

# Well below the time limit of a task, so that exports do not hold up other tasks for long.
BUDGET_SECONDS = 60.0


@shared_task(name=BUILD_TASK)
def build() -> Swept:
    """Build waiting exports of all tenants, round robin, and delete expired files. If the time is up, wake the next worker."""
    now = timezone.now()
    with all_tenants():
        while delete_expired_files(now=now):
            pass
        waiting = list(_waiting(now).select_related("tenant").order_by("pk"))
    with ExitStack() as stack:
        builds = [(each.tenant, build_in_parts(tenant=each.tenant, export_id=each.pk)) for each in waiting]
        for _, steps in builds:
            stack.enter_context(closing(steps))  # a build that is not finished must release its lease
        swept = round_robin("exports", builds, seconds=BUDGET_SECONDS)
    with all_tenants():
        is_unfinished = _waiting(timezone.now()).exists()
    if is_unfinished:
        messages.send(BUILD_TASK)
    return swept


def _waiting(now: datetime) -> ExportQuerySet:
    """Return what this worker can build. During an upgrade, kinds that only the next release has wait for its workers."""
    return Export.objects.waiting(now).filter(kind__in=list(export_kinds))
