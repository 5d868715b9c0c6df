"""Sends messages that wake workers up.

A message is only a wake-up: the work itself is a due row in the database, and beat starts a worker for it anyway. So a lost message
costs time and nothing else, and a request never fails because of it.
"""

from collections.abc import Sequence
from typing import Any

import structlog
from celery import current_app

from participants.actors import current_request_id
from participants.breakers import redis_breaker

REQUEST_ID = "gamify-request-id"

logger = structlog.get_logger(__name__)


def send(task: str, *, args: Sequence[Any] = (), **options: Any) -> bool:
    """Send a message for `task`, and return whether it was sent. `options` are Celery's, such as `queue` or `countdown` (seconds).

    The message carries the id of the current request, so that the worker's log lines have it.
    """
    options["headers"] = {REQUEST_ID: current_request_id(), **options.get("headers", {})}
    try:
        sent = redis_breaker.call(lambda: current_app.send_task(task, args=list(args), **options), purpose=task)
    except Exception:  # the change is committed, so the request must not fail
        logger.warning("message_not_sent", task=task, exc_info=True)
        return False
    return sent is not None
