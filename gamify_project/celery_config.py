"""How Celery runs here: which broker, how messages are acknowledged, and what beat starts when.

A message is only a wake-up (the truth is a due row, found by a sweep), so nothing is kept about results, and a broker
that does not answer must never hold up a request.
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
LONGEST_TASK_SECONDS = 600
REDIS_TIMEOUT_SECONDS = 1.0

NIGHTLY = {
    "participants.clear_expired_sessions": crontab(hour="3", minute="17"),
    "participants.hash_batch_keys": crontab(hour="3", minute="47"),
    "facts.prune_traces": crontab(hour="3", minute="27"),
    "participants.verify": crontab(hour="1-5", minute="37"),  # what one hour has left, the next goes on with
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
)
DELIVER = "webhooks.deliver"
DELIVER_SECONDS = 5  # how late a delivery can be that nobody was told of, such as the first one tried again

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
    "task_time_limit": LONGEST_TASK_SECONDS,
    "task_publish_retry": False,
    "worker_prefetch_multiplier": 1,
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_enable_remote_control": False,
    "broker_connection_retry_on_startup": True,
}


def celery_settings(*, redis_url: str, var_dir: Path, sweep_seconds: int) -> dict[str, Any]:
    """Celery's settings on Redis, or without it on files under `var_dir`; beat starts sweeps every `sweep_seconds`."""
    broker = _redis(redis_url) if redis_url else _files(var_dir / "broker")
    return COMMON | broker | {"beat_schedule": _beat_schedule(sweep_seconds)}


def _beat_schedule(sweep_seconds: int) -> dict[str, Any]:
    """A queue of its own, so that a backlog of wake-ups never delays a sweep, nor the reverse.

    A sweep that no worker took before the next is started is forgotten: the next one does the same.
    """
    sweep = {"schedule": sweep_seconds, "options": {"queue": SWEEPS_QUEUE, "expires": sweep_seconds}}
    nightly = {name: {"schedule": when, "options": {"queue": SWEEPS_QUEUE}} for name, when in NIGHTLY.items()}
    deliver = {"schedule": DELIVER_SECONDS, "options": {"queue": WEBHOOKS_QUEUE, "expires": DELIVER_SECONDS}}
    entries = nightly | dict.fromkeys(SWEEPS, sweep) | {DELIVER: deliver}
    return {name: {"task": name, **entry} for name, entry in entries.items()}


def _redis(url: str) -> dict[str, Any]:
    """An unanswering Redis fails a `.delay()` after a second; a task is not handed out again while it still runs."""
    return {
        "broker_url": url,
        "broker_connection_timeout": REDIS_TIMEOUT_SECONDS,
        "broker_transport_options": {
            "visibility_timeout": 2 * LONGEST_TASK_SECONDS,
            "socket_timeout": REDIS_TIMEOUT_SECONDS,
            "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
            "max_retries": 0,
        },
    }


def _files(folder: Path) -> dict[str, Any]:
    TRANSPORT_ALIASES["files"] = "gamify_project.broker:Transport"
    return {
        "broker_url": "files://localhost",
        "broker_transport_options": {"folder": str(folder)},
        "worker_pool": "threads",  # one process with one cache; on Redis it is one process for every core
        "worker_concurrency": 3,  # of which deliveries keep one busy at most, and another for a moment
    }
