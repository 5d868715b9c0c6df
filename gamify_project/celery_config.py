"""Configuration of Celery: broker, acknowledgement of messages, and the schedule of beat.

A message only wakes a worker up; the work itself is a due row in the database, which a sweep finds. So results are not stored,
and a broker that does not answer must never block a request.
"""

from pathlib import Path
from typing import Any

from celery.schedules import crontab
from kombu.entity import Exchange, Queue
from kombu.transport import TRANSPORT_ALIASES

DEFAULT_QUEUE = "default"
SWEEPS_QUEUE = "sweeps"
WEBHOOKS_QUEUE = "webhooks"
QUEUES = (DEFAULT_QUEUE, SWEEPS_QUEUE, WEBHOOKS_QUEUE)
MAX_TASK_SECONDS = 600
WORKER_TIMEOUT_SECONDS = 1.0
"""How long a worker waits for Redis. Others have REDIS_TIMEOUT_SECONDS."""

NIGHTLY = {
    "participants.clear_expired_sessions": crontab(hour="3", minute="17"),
    "participants.hash_batch_keys": crontab(hour="3", minute="47"),
    "facts.prune_traces": crontab(hour="3", minute="27"),
    "participants.verify": crontab(hour="1-5", minute="37"),  # an hourly run continues where the last one stopped
    "leaderboards.sweep": crontab(hour="3", minute="37"),
    "webhooks.prune": crontab(hour="3", minute="37"),
}
SWEEPS = (
    "streaks.announce_breaks",
    "streaks.announce_risks",
    "streaks.review",
    "challenges.expire_ended",
    "leaderboards.fold_waiting",
    "leaderboards.build_waiting",
    "rewards.serve_waiting",
    "points.expire",
    "tiers.apply_ladders",
    "exports.build",
    "undo.run_waiting",
    "participants.compute_figures",
)
SCHEDULED = "gamify-scheduled"
"""The header of messages that beat sends. A run without it was started by a wake-up."""

DELIVER = "webhooks.deliver"
SENT_BY_BEAT = {"headers": {SCHEDULED: True}}
DELIVER_SECONDS = 5  # the longest delay of a delivery for which no wake-up was sent, such as a retry

COMMON: dict[str, Any] = {
    "task_serializer": "json",
    "accept_content": ["json"],
    "enable_utc": True,
    "timezone": "UTC",
    "task_ignore_result": True,
    "task_default_queue": DEFAULT_QUEUE,
    "task_queues": [Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_time_limit": MAX_TASK_SECONDS,
    "task_publish_retry": False,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_enable_remote_control": False,
    "broker_connection_retry_on_startup": True,
}


def celery_settings(*, redis_url: str, redis_timeout: float, var_dir: Path, sweep_seconds: int) -> dict[str, Any]:
    """Return Celery's settings: with Redis, or without a URL with files under `var_dir`. Sweeps start every `sweep_seconds`."""
    broker = _redis(redis_url, redis_timeout) if redis_url else _files(var_dir / "broker")
    return COMMON | broker | {"beat_schedule": _beat_schedule(sweep_seconds)}


def _beat_schedule(sweep_seconds: int) -> dict[str, Any]:
    """Return the schedule of beat.

    Sweeps have their own queue, so that a backlog of wake-ups does not delay them, nor the reverse. A sweep that no worker took
    before the next one expires, because the next one does the same work.
    """
    sweep = {"schedule": sweep_seconds, "options": {"queue": SWEEPS_QUEUE, "expires": sweep_seconds}}
    nightly = {name: {"schedule": when, "options": {"queue": SWEEPS_QUEUE}} for name, when in NIGHTLY.items()}
    deliver = {"schedule": DELIVER_SECONDS, "options": {"queue": WEBHOOKS_QUEUE, "expires": DELIVER_SECONDS}}
    entries = nightly | dict.fromkeys(SWEEPS, sweep) | {DELIVER: deliver}
    return {
        name: {"task": name, **entry, "options": {**entry["options"], **SENT_BY_BEAT}}
        for name, entry in entries.items()
    }


def _redis(url: str, timeout: float) -> dict[str, Any]:
    """Return the settings for Redis. Sending fails after `timeout` seconds without an answer, and a running task is not redelivered."""
    return {
        "broker_url": url,
        "broker_connection_timeout": timeout,
        "broker_transport_options": {
            "visibility_timeout": 2 * MAX_TASK_SECONDS,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "max_retries": 0,
        },
    }


def _files(folder: Path) -> dict[str, Any]:
    TRANSPORT_ALIASES["files"] = "gamify_project.process.broker.transport:Transport"
    return {
        "broker_url": "files://localhost",
        "broker_transport_options": {"folder": str(folder)},
        "worker_pool": "threads",  # one process with one cache; with Redis, one process for each core
        "worker_concurrency": 3,  # deliveries occupy one thread, and a second one for a moment; so other tasks always have a thread
    }
