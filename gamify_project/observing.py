"""Counts every request, and writes one line about it to the log. Both together cost less than 20 µs, and no statement.

The line does not pass through structlog, which would take several times as long. It has the format of the other lines. Its parts that
repeat are cached.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Histogram

from gamify_project.dialects import GAMIFY_BASE, PHOENIX_BASE, is_under
from participants.measuring import counted

PROBES = ("/health", "/ready", "/metrics")
NO_ROUTE = "none"
"""The route of a request that no route matches, or that could not be read."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

requests = Counter(
    "gamify_requests",
    "Requests that were answered.",
    ["dialect", "route", "method", "status"],
    registry=counted,
)
durations = Histogram(
    "gamify_request_seconds",
    "From the complete request to the beginning of its answer, in seconds.",
    ["dialect", "route"],
    buckets=SECONDS,
    registry=counted,
)
refusals = Counter(
    "gamify_refusals", "Requests that were answered with an error, by its code.", ["dialect", "code"], registry=counted
)

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestObserver:
    """The outermost middleware: it sees every answer, with the id of the request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        observe(
            method=request.method or "",
            path=request.path_info,
            route=match.route if match else NO_ROUTE,
            status=response.status_code,
            seconds=time.perf_counter() - began,
            request_id=response.get("X-Request-Id", ""),
            caller=getattr(request, "auth", None),
        )
        return response


def observe(
    *, method: str, path: str, route: str, status: int, seconds: float, request_id: str, caller: Any = None
) -> None:
    """Count a request and log it. `caller` is the key or the partner secret that it came with. Probes that succeed are not logged."""
    method = method if method in METHODS else "other"
    count, measure, about = _of_kind(dialect_of(path), route, method, status)
    count()
    measure(seconds)
    if settings.LOG_REQUESTS and (status >= 400 or path not in PROBES):
        sys.stderr.write(_line(about, _about_caller(caller), request_id=request_id, seconds=seconds))


def note_refusal(code: str, *, path: str) -> None:
    """Count an error that is the answer to a request."""
    refusals.labels(dialect_of(path), code).inc()


def dialect_of(path: str) -> str:
    if is_under(path, GAMIFY_BASE):
        return "gamify"
    return "phoenix" if is_under(path, PHOENIX_BASE) else "pages"


@lru_cache(maxsize=8192)
def _of_kind(
    dialect: str, route: str, method: str, status: int
) -> tuple[Callable[[], None], Callable[[float], None], str]:
    """Return what counts requests of one kind, what measures them, and the part of their lines that is always the same."""
    about = {"dialect": dialect, "method": method, "route": route, "status": status}
    return requests.labels(dialect, route, method, status).inc, durations.labels(dialect, route).observe, _text(about)


def _about_caller(caller: Any) -> str:
    if caller is None:
        return ""
    tenant = caller.tenant
    return _caller_text(tenant.slug, tenant.environment, getattr(caller, "prefix", None) or str(caller))


@lru_cache(maxsize=8192)
def _caller_text(slug: str, environment: str, key: str) -> str:
    return _text({"tenant": slug, "environment": environment, "key": key})


def _text(fields: dict[str, Any]) -> str:
    """Return a part of a line, which the rest of the line follows."""
    if settings.LOG_FORMAT == "json":
        return f"{json.dumps(fields)[1:-1]}, "
    return " ".join([*(f"{name}={value}" for name, value in fields.items()), ""])


def _line(about: str, caller: str, *, request_id: str, seconds: float) -> str:
    """Return the line. The request id needs no escaping: `RequestIdMiddleware` admits few characters."""
    now = time.time()
    at, milliseconds = f"{_date(int(now))}.{int(now % 1 * 1e6):06}Z", round(seconds * 1000, 1)
    if settings.LOG_FORMAT == "json":
        return (
            f'{{"timestamp": "{at}", "level": "info", "logger": "{__name__}", "event": "request", {about}{caller}'
            f'"milliseconds": {milliseconds}, "request_id": "{request_id}"}}\n'
        )
    return f"{at} [info     ] request [{__name__}] {about}{caller}milliseconds={milliseconds} request_id={request_id}\n"


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
