"""Traces for OpenTelemetry and errors for Sentry, if the settings name where to send them.

Both are optional packages (`pip install '.[otel]'`, `'.[sentry]'`), which are imported only if their setting is set:
OTEL_EXPORTER_OTLP_ENDPOINT, SENTRY_DSN. OpenTelemetry reads further variables itself, such as OTEL_SERVICE_NAME.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Wsgi = Callable[..., Any]

OTEL = ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel")
SENTRY = ("SENTRY_DSN", "sentry")


def start_sentry(**more: Any) -> None:
    """Send errors to SENTRY_DSN, without bodies, cookies and names of people. Does nothing without it. `more` are options of Sentry."""
    if settings.SENTRY_DSN:
        _optional("sentry_sdk", needed_by=SENTRY).init(
            dsn=settings.SENTRY_DSN,
            environment=settings.SENTRY_ENVIRONMENT,
            traces_sample_rate=settings.SENTRY_TRACES_SAMPLE_RATE,
            send_default_pii=False,
            max_request_body_size="never",
            include_local_variables=False,
            **more,
        )


def start_tracing(*, exporter: Any = None) -> None:
    """Trace tasks and statements of this process. Does nothing without OTEL_EXPORTER_OTLP_ENDPOINT. `exporter` replaces OTLP."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return
    sdk = _optional("opentelemetry.sdk.trace", needed_by=OTEL)
    processors = _optional("opentelemetry.sdk.trace.export", needed_by=OTEL)
    exporter = (
        exporter
        or _optional("opentelemetry.exporter.otlp.proto.http.trace_exporter", needed_by=OTEL).OTLPSpanExporter()
    )
    provider = sdk.TracerProvider()
    provider.add_span_processor(processors.BatchSpanProcessor(exporter))
    _optional("opentelemetry.trace", needed_by=OTEL).set_tracer_provider(provider)
    _optional("opentelemetry.instrumentation.celery", needed_by=OTEL).CeleryInstrumentor().instrument()
    _optional("opentelemetry.instrumentation.psycopg", needed_by=OTEL).PsycopgInstrumentor().instrument()


def traced(application: Wsgi) -> Wsgi:
    """Return `application` with a span for each request, or as it is without OTEL_EXPORTER_OTLP_ENDPOINT."""
    if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        return application
    wrapped: Wsgi = _optional("opentelemetry.instrumentation.wsgi", needed_by=OTEL).OpenTelemetryMiddleware(application)
    return wrapped


def _optional(module: str, *, needed_by: tuple[str, str]) -> Any:
    """Import a module of an extra. Raises ImproperlyConfigured if the extra is not installed."""
    setting, extra = needed_by
    try:
        return import_module(module)
    except ImportError as error:
        text = f"{setting} is set, but {module} cannot be imported: install the extra with pip install '.[{extra}]'."
        raise ImproperlyConfigured(text) from error
