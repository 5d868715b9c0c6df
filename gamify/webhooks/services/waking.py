"""Tells a worker that there is something to deliver. Only a wake-up: what is due is in the database, and beat looks every few
seconds.

A process sends one message for all that is committed within a moment (`WINDOW_SECONDS`). Whoever takes it looks until that moment
is over (`LINGER_SECONDS`), so that nothing waits which came while no message was sent.
"""

import threading
import time
from collections.abc import Sequence

import structlog
from celery import current_app
from django.db import transaction

from gamify.webhooks.selectors import wanted_types
from participants.catalog import catalog_of
from participants.models import DomainEvent, Tenant

TASK = "webhooks.deliver"
QUEUE = "webhooks"
WINDOW_SECONDS = 0.25
LINGER_SECONDS = WINDOW_SECONDS + 0.1
SILENCE_SECONDS = 5.0  # without a broker; beat's messages come as soon as there is one

logger = structlog.get_logger(__name__)


class WakeUpSender:
    """Rings once in a while, however often it is pressed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_until = 0.0

    def send(self) -> None:
        with self._lock:
            if time.monotonic() < self._quiet_until:
                return
            self._quiet_until = time.monotonic() + WINDOW_SECONDS
        try:
            current_app.send_task(TASK, queue=QUEUE)
        except Exception as error:  # noqa: BLE001 - whatever the broker has, the change is made, and beat delivers it
            self._quiet_until = time.monotonic() + SILENCE_SECONDS
            logger.warning("wake_up_not_sent", error=str(error))


wake_up_sender = WakeUpSender()


def wake_after_commit() -> None:
    """Have deliveries made once this transaction is committed."""
    transaction.on_commit(wake_up_sender.send)


def wake_if_wanted(tenant: Tenant, events: Sequence[DomainEvent]) -> None:
    """An outbox follower: called after the commit."""
    wanted = wanted_types(catalog_of(tenant))
    if any(wanted.includes(event.type) for event in events):
        wake_up_sender.send()
