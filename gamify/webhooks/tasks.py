"""What beat and the outbox start: deliveries, positions in the feed, and the removal of what is old."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.utils import timezone

from gamify.webhooks import services

# Well before a worker is killed: what is left then is the next night's.
BUDGET_SECONDS = 240.0

logger = structlog.get_logger(__name__)


@shared_task(name="webhooks.deliver")
def deliver() -> None:
    """Give events their positions and deliver what is due, until nothing is."""
    services.deliver_due()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    """A worker that is told to end does not begin with the next delivery."""
    services.stop()


@shared_task(name="webhooks.prune")
def prune() -> None:
    """Remove deliveries older than DELIVERY_RETENTION_DAYS and events older than EVENT_RETENTION_DAYS, and the ids of erased
    participants in those events that stay.
    """
    ends_at, now = time.monotonic() + BUDGET_SECONDS, timezone.now()
    old_deliveries = services.prune_deliveries(before=now - timedelta(days=settings.DELIVERY_RETENTION_DAYS))
    before = now - timedelta(days=settings.EVENT_RETENTION_DAYS)
    deliveries, events = _until(ends_at, old_deliveries), _until(ends_at, services.prune_events(before=before))
    ids = _until(ends_at, services.forget_erased_ids(before=before))
    logger.info("outbox_pruned", deliveries=deliveries, events=events, erased_ids=ids)


def _until(ends_at: float, steps: Iterator[int]) -> int:
    removed = 0
    for step in steps:
        removed += step
        if time.monotonic() > ends_at:
            break
    return removed
