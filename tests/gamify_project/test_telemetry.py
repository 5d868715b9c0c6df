"""Traces and errors leave the product only if their setting is set, and a missing package is a clear error."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from gamify_project import telemetry

# Each runs in a process of its own, because both packages change the process for good.
SENTRY = """
import json, sys
import django; django.setup()
import sentry_sdk
from sentry_sdk.transport import Transport
from gamify_project import telemetry

class InMemory(Transport):
    events = []
    def capture_envelope(self, envelope):
        self.events += [item.payload.json for item in envelope.items if item.type == "event"]

telemetry.start_sentry(transport=InMemory)
from django.test import Client
from gamify_project import probes
def crash(request):
    password = "bq_live_SECRET"
    raise RuntimeError("the view crashed")
from django.urls import get_resolver, path
get_resolver().url_patterns.insert(0, path("crash", crash))
Client(raise_request_exception=False).post("/crash", {"card": "4111111111111111"}, headers={"X-API-Key": "bq_live_SECRET"})
sentry_sdk.flush()
print(json.dumps(InMemory.events))
"""
OTEL = """
import io, json
import django; django.setup()
from opentelemetry import trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from gamify_project import telemetry
exporter = InMemorySpanExporter()
telemetry.start_tracing(exporter=exporter)
from gamify_project.wsgi import application
environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/health", "SERVER_NAME": "x", "SERVER_PORT": "80", "wsgi.input": io.BytesIO(),
           "wsgi.url_scheme": "http", "HTTP_HOST": "x", "HTTP_TRACEPARENT": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
b"".join(application(environ, lambda status, headers, *more: None))
trace.get_tracer_provider().force_flush()
print(json.dumps([[span.name, format(span.context.trace_id, "032x")] for span in exporter.get_finished_spans()]))
"""


def run(code: str, tmp_path: Path, **environment: str) -> Any:
    inherited = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "gamify_project.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "GAMIFY_VAR": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


def test_an_error_reaches_sentry_without_bodies_keys_and_local_variables(tmp_path: Path) -> None:
    events = run(SENTRY, tmp_path, SENTRY_DSN="https://public@sentry.example/1")

    assert "the view crashed" in json.dumps(events)
    assert "4111111111111111" not in json.dumps(events)
    assert "SECRET" not in json.dumps(events)


def test_a_request_is_a_span_of_the_trace_of_its_caller(tmp_path: Path) -> None:
    spans = run(OTEL, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")

    assert ["GET /health", "a" * 32] in spans


def test_without_the_settings_nothing_is_imported(tmp_path: Path) -> None:
    code = (
        "import django; django.setup(); import gamify_project.wsgi, sys, json;"
        "print(json.dumps([name for name in sys.modules if name.startswith(('sentry_sdk', 'opentelemetry.instrumentation'))]))"
    )

    assert run(code, tmp_path) == []


@pytest.mark.parametrize(
    ("start", "setting", "package"),
    [
        (telemetry.start_sentry, "SENTRY_DSN", "sentry_sdk"),
        (telemetry.start_tracing, "OTEL_EXPORTER_OTLP_ENDPOINT", "opentelemetry.sdk.trace"),
    ],
)
def test_a_missing_package_is_a_clear_error(
    start: Any, setting: str, package: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    setattr(settings, setting, "https://public@example.com/1")
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(ImproperlyConfigured, match=rf"{setting} is set, .* pip install '\.\["):
        start()
