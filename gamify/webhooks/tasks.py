"""Celery tasks of webhooks: deliveries, feed positions, and retention."""

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

# Less than the time after which a worker is killed. The next run does the rest.
BUDGET_SECONDS = 240.0

logger = structlog.get_logger(__name__)


@shared_task(name="webhooks.deliver")
def deliver() -> None:
    """Assign feed positions and send due deliveries, until none is due."""
    services.deliver_due()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    """Stop after the current deliveries when the worker shuts down."""
    services.stop()


@shared_task(name="webhooks.prune")
def prune() -> None:
    """Remove deliveries older than DELIVERY_RETENTION_DAYS and events older than EVENT_RETENTION_DAYS.

    Also replace the ids of erased participants in old events that stay.
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
