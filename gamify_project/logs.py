"""Logs: JSON lines for machines, or short readable lines for people; both carry the id of the request."""

import logging.config
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


# psycopg warns of the statements that a failed one took along; the failure itself is raised. Refused requests are answers,
# not log lines; what crashes is logged where it is answered.
_QUIETER: dict[str, Any] = {
    "psycopg": {"level": "ERROR"},
    "django.request": {"level": "ERROR"},
    "axes": {"level": "WARNING"},
}


# In a terminal: that a sweep ran and found nothing is no news, every ten seconds. One that fails is told all the same.
_QUIETER_FOR_PEOPLE: dict[str, Any] = _QUIETER | {
    "celery.worker.strategy": {"level": "WARNING"},
    "celery.app.trace": {"level": "WARNING"},
}


def logging_config(*, level: str, json: bool) -> None:
    """Send both structlog's and the standard library's records through one formatter to stderr."""
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
        if json
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
            "loggers": _QUIETER if json else _QUIETER_FOR_PEOPLE,
        }
    )
