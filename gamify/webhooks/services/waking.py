"""Wakes a worker when there is something to deliver.

The message is only a wake-up: due deliveries are in the database, and beat starts a worker every few seconds anyway. A process sends
at most one message per WINDOW_SECONDS. The worker that receives it looks for LINGER_SECONDS, which is longer, so that events that were
committed in between are delivered at once.
"""

import threading
import time
from collections.abc import Sequence

from django.db import transaction

from gamify.webhooks.selectors import wanted_types
from participants import messages
from participants.catalog import catalog_of
from participants.models import DomainEvent, Tenant

TASK = "webhooks.deliver"
QUEUE = "webhooks"
WINDOW_SECONDS = 0.25
LINGER_SECONDS = WINDOW_SECONDS + 0.1


class WakeUpSender:
    """Sends a wake-up message, at most one per WINDOW_SECONDS. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet_until = 0.0

    def send(self) -> None:
        with self._lock:
            if time.monotonic() < self._quiet_until:
                return
            self._quiet_until = time.monotonic() + WINDOW_SECONDS
        messages.send(TASK, queue=QUEUE)


wake_up_sender = WakeUpSender()


def wake_after_commit() -> None:
    """Wake a worker after the commit of the current transaction."""
    transaction.on_commit(wake_up_sender.send)


def wake_if_wanted(tenant: Tenant, events: Sequence[DomainEvent]) -> None:
    """Wake a worker if an endpoint subscribes to one of `events`. Registered in `after_commit`."""
    wanted = wanted_types(catalog_of(tenant))
    if any(wanted.includes(event.type) for event in events):
        wake_up_sender.send()
