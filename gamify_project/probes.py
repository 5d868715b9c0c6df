"""Probes for load balancers: `/health` (the process runs) and `/ready` (it can serve requests).

Load balancers address a node by its number, so these paths and `/metrics` answer under every host name (`AnyHostForProbes`).
"""

from collections.abc import Callable, Sequence
from typing import Any

import structlog
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from gamify_project.addresses import is_observer
from gamify_project.celery import app
from gamify_project.postgres import separation
from participants.breakers import redis_breaker

logger = structlog.get_logger(__name__)


def health(request: HttpRequest) -> JsonResponse:
    """Answer 200: the process runs. Nothing else is checked."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 if everything that requests need works, else 503. Observers also get the outcome of each check, and warnings."""
    checks = {name: _outcome(name, check) for name, check in CHECKS.items()}
    is_ready = all(outcome == "ok" for outcome in checks.values())
    body: dict[str, Any] = {"status": "ok" if is_ready else "unavailable"}
    if is_observer(request):
        body["checks"] = checks
        if is_ready and (warnings := _separation_warnings()):
            body["warnings"] = {"tenant_separation": warnings}
    return JsonResponse(body, status=200 if is_ready else 503)


def _outcome(name: str, check: Callable[[], Any]) -> str:
    try:
        check()
    except Exception as error:  # noqa: BLE001 - any error means that this instance is not ready
        logger.warning("not_ready", check=name, error=str(error))
        return "failed"
    return "ok"


def _separation_warnings() -> Sequence[str]:
    try:
        return separation.problems(connection)
    except DatabaseError as error:
        logger.warning("separation_unknown", error=str(error))
        return []


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=1)


def _migrations() -> None:
    executor = MigrationExecutor(connection)
    if pending := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise RuntimeError(f"{len(pending)} migrations are not applied: run manage.py migrate")


CHECKS: dict[str, Callable[[], Any]] = {
    "database": _database,
    "cache": lambda: redis_breaker.call_or_raise(lambda: cache.get("ready"), purpose="ready"),
    "broker": lambda: redis_breaker.call_or_raise(_broker, purpose="ready"),
    "migrations": _migrations,
}
