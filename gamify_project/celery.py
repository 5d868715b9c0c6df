"""The Celery app, configured by `celery_config` and, over that, by any `CELERY_…` in the settings."""

import gc
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init
from django.conf import settings

from gamify_project.celery_config import celery_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gamify_project.settings")


def _defaults() -> dict[str, Any]:
    """Called on first use: the settings cannot be read while they are being imported."""
    return celery_settings(redis_url=settings.REDIS_URL, var_dir=settings.VAR_DIR, sweep_seconds=settings.SWEEP_SECONDS)


@setup_logging.connect
def _keep_django_logging(**_: Any) -> None:
    """Somebody listening to this signal is what keeps Celery from configuring the loggers that Django configured."""


@worker_init.connect
def _keep_what_is_loaded(**_: Any) -> None:
    """The code stays for good: without this the garbage collector walks through it again and again, a fifth of a sweep."""
    gc.collect()
    gc.freeze()


app = Celery("gamify")
app.add_defaults(_defaults)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
