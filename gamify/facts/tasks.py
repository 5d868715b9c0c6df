"""Periodic tasks of events."""

import time
from datetime import timedelta

import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from gamify.facts.services import prune_traces
from participants.database import all_tenants
from participants.work import Swept

# Well below LONGEST_TASK_SECONDS, after which a worker is killed. The next night continues with the rest.
BUDGET_SECONDS = 480.0

logger = structlog.get_logger(__name__)


@shared_task(name="facts.prune_traces")
def prune() -> Swept:
    """Clear the traces of events older than TRACE_RETENTION_DAYS."""
    ends_at, cleared = time.monotonic() + BUDGET_SECONDS, 0
    with all_tenants():
        for step in prune_traces(before=timezone.now() - timedelta(days=settings.TRACE_RETENTION_DAYS)):
            cleared += step
            if time.monotonic() > ends_at:
                break
    logger.info("traces_pruned", events=cleared)
    return Swept(cleared)
