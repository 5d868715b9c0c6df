"""The Celery app. It is configured by `celery_config`; settings named `CELERY_…` take precedence."""

import gc
import os
from functools import partial
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import celeryd_init, setup_logging, worker_init, worker_ready
from django.conf import settings

from gamify_project.celery_config import WORKER_TIMEOUT_SECONDS, celery_settings
from gamify_project.counting import share_counts
from gamify_project.logs import as_json_line
from gamify_project.telemetry import start_tracing
from participants.actors import ActorKind, acting_as, actor_of, following_request
from participants.database import no_tenant
from participants.messages import REQUEST_ID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")
if os.environ.get("METRICS_PORT"):
    share_counts()


def _defaults() -> dict[str, Any]:
    """Return Celery's settings. Called on first use, because Django's settings are not complete at import."""
    return celery_settings(
        redis_url=settings.REDIS_URL,
        redis_timeout=settings.REDIS_TIMEOUT_SECONDS,
        var_dir=settings.VAR_DIR,
        sweep_seconds=settings.SWEEP_SECONDS,
    )


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Do nothing. A receiver of this signal keeps Celery from configuring the loggers again."""


@celeryd_init.connect
def _wait_longer_in_workers(conf: Any, **_: Any) -> None:
    if settings.REDIS_URL:
        longer = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), WORKER_TIMEOUT_SECONDS)
        conf.broker_transport_options = {**conf.broker_transport_options, **longer}
        conf.broker_connection_timeout = WORKER_TIMEOUT_SECONDS


@celeryd_init.connect
def _say_in_json(**_: Any) -> None:
    """Celery announces its shutdown past all loggers, because it does so in a signal handler."""
    if settings.LOG_FORMAT == "json":
        from celery.apps import worker as worker_program  # noqa: PLC0415 - only workers need it

        worker_program.safe_say = lambda message, stream=None: os.write(2, as_json_line("celery", message).encode())


@worker_init.connect
def _freeze_loaded_objects(**_: Any) -> None:
    """Exclude loaded code from garbage collection. Without this, scanning it takes a fifth of the time of a sweep."""
    gc.collect()
    gc.freeze()


@worker_ready.connect
def _serve_metrics(**_: Any) -> None:
    """Show what this worker and its child processes count, on a port of their own. Only workers with METRICS_PORT do."""
    if settings.METRICS_PORT:
        from prometheus_client import start_http_server  # noqa: PLC0415 - after `share_counts`, also in other processes

        from gamify_project.metrics import all_counted  # noqa: PLC0415 - imports models, and this module is imported before them

        start_http_server(settings.METRICS_PORT, addr=settings.METRICS_HOST, registry=all_counted())


@worker_init.connect
def _trace(**_: Any) -> None:
    """Trace the tasks of this worker. OpenTelemetry notices the fork of its child processes."""
    start_tracing()


class SweepTask(Task):  # type: ignore[misc]  # Celery has no types
    """Base of all tasks. What a task writes has the task as its actor. It sees no tenant's rows until it says which.

    Runs that beat starts are recorded. The run after a wake-up has the id of the request that sent it.
    """

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from gamify_project.periodic.recording import is_scheduled, run_and_record  # noqa: PLC0415 - imports models, and this module is imported before them

        request_id = (self.request.headers or {}).get(REQUEST_ID)
        with (
            following_request(request_id),
            structlog.contextvars.bound_contextvars(**({"request_id": request_id} if request_id else {})),
            acting_as(actor_of(ActorKind.SWEEP, self.name, self.name)),
            no_tenant(),
        ):
            run = partial(super().__call__, *args, **kwargs)
            return run_and_record(self.name, run) if is_scheduled(self) else run()


app = Celery("gamify", task_cls=SweepTask)
app.add_defaults(_defaults)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
