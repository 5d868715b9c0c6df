"""Logging: JSON lines for machines, or short lines for people. Both contain the request id."""

import json
import logging
import logging.config
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


# psycopg warns about statements that were cancelled after a failed one; the failure itself is raised. Refused requests are
# answered, not logged. Crashes are logged where the answer is made.
_QUIETER: dict[str, Any] = {
    "psycopg": {"level": "ERROR"},
    "django.request": {"level": "ERROR"},
    "axes": {"level": "WARNING"},
}


# In a terminal, do not log every ten seconds that a sweep ran. Failures are still logged.
_QUIETER_FOR_PEOPLE: dict[str, Any] = _QUIETER | {
    "celery.worker.strategy": {"level": "WARNING"},
    "celery.app.trace": {"level": "WARNING"},
}


def log_format(environment: Mapping[str, str]) -> str:
    """Return `json` or `console`: LOG_FORMAT, or else what fits GAMIFY_ENV."""
    return environment.get("LOG_FORMAT") or ("json" if environment.get("GAMIFY_ENV") == "production" else "console")


def as_json_line(logger: str, event: str) -> str:
    """Return a line in the format of the other JSON lines. For code that must not call a logger."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"timestamp": at, "level": "info", "logger": logger, "event": event.strip()}) + "\n"


def logging_config(*, level: str, is_json: bool) -> None:
    """Configure structlog and the standard library to write through one formatter to stderr. With `is_json`, warnings of Python too."""
    logging.captureWarnings(is_json)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[Any] = (
        [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(),
        ]
        if is_json
        else [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"main": formatter},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "main"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": _QUIETER if is_json else _QUIETER_FOR_PEOPLE,
        }
    )
