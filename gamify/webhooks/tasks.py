"""Celery tasks of webhooks: deliveries, feed positions, and retention."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.utils import timezone

from gamify.webhooks import services
from participants.database import all_tenants
from participants.events import event_retention
from participants.work import Swept

# Less than the time after which a worker is killed. The next run does the rest.
BUDGET_SECONDS = 240.0

logger = structlog.get_logger(__name__)


@shared_task(name="webhooks.deliver")
def deliver() -> None:
    """Assign feed positions and send due deliveries, until none is due."""
    with all_tenants():
        services.deliver_due()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    """Stop after the current deliveries when the worker shuts down."""
    services.stop()


@shared_task(name="webhooks.prune")
def prune() -> Swept:
    """Remove deliveries older than DELIVERY_RETENTION_DAYS and events older than EVENT_RETENTION_DAYS.

    Also replace the ids of erased participants in old events that stay.
    """
    ends_at, now = time.monotonic() + BUDGET_SECONDS, timezone.now()
    deliveries_before = now - timedelta(days=settings.DELIVERY_RETENTION_DAYS)
    events_before = now - event_retention()
    with all_tenants():
        deliveries = _until(ends_at, partial(services.prune_deliveries, before=deliveries_before))
        events = _until(ends_at, partial(services.prune_events, before=events_before))
        ids = _until(ends_at, partial(services.forget_erased_ids, before=events_before))
    logger.info("outbox_pruned", deliveries=deliveries, events=events, erased_ids=ids)
    return Swept(deliveries + events + ids)


def _until(ends_at: float, next_chunk: Callable[[], int]) -> int:
    removed = 0
    while count := next_chunk():
        removed += count
        if time.monotonic() > ends_at:
            break
    return removed
