"""Periodic tasks: compute daily figures, audit every tenant once a night, and hash old idempotency keys of batches."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from participants.auditing import Drift
from participants.database import all_tenants
from participants.models import Tenant
from participants.selectors import tenants_to_audit
from participants.services.auditing import audit
from participants.services.batch_keys import hash_old_keys
from participants.services.figures import compute_in_steps, tenants_with_due_figures
from participants.work import Swept, round_robin

# No audit starts later than this after the task did, well before Celery kills the worker. The next run, an hour later, continues.
BUDGET_SECONDS = 240.0
FIGURES_SECONDS = 120.0
A_NIGHT = timedelta(hours=20)
MAX_LOGGED_DRIFTS = 1_000

logger = structlog.get_logger(__name__)


@shared_task(name="participants.verify")
def verify() -> Swept:
    """Audit the tenants that were not audited this night, and log the drifts."""
    now, ends_at = timezone.now(), time.monotonic() + BUDGET_SECONDS
    waiting = tenants_to_audit(since=now - A_NIGHT)
    rows: list[int | None] = []
    for tenant in waiting:
        if time.monotonic() > ends_at:
            logger.warning("audits_unfinished", tenants=len(waiting) - len(rows))
            break
        rows.append(_verify(tenant, now=now))
    return Swept(sum(each or 0 for each in rows), failed=rows.count(None), unfinished=len(waiting) - len(rows))


@shared_task(name="participants.compute_figures")
def compute_figures() -> Swept:
    """Compute the daily figures of the tenants whose time has come, in turn."""
    now = timezone.now()
    with all_tenants():
        tenants = list(tenants_with_due_figures(now=now))
    return round_robin(
        "figures", [(tenant, compute_in_steps(tenant=tenant, now=now)) for tenant in tenants], seconds=FIGURES_SECONDS
    )


@shared_task(name="participants.hash_batch_keys")
def hash_batch_keys() -> Swept:
    """Hash the idempotency keys of batches that are older than a week, because their text may contain participants' ids."""
    ends_at, hashed = time.monotonic() + BUDGET_SECONDS, 0
    with all_tenants():
        for step in hash_old_keys(now=timezone.now()):
            hashed += step
            if time.monotonic() > ends_at:
                break
    logger.info("batch_keys_hashed", keys=hashed)
    return Swept(hashed)


def _verify(tenant: Tenant, *, now: datetime) -> int | None:
    """Return how many rows the audit read, or None if it failed."""
    try:
        result = audit(tenant=tenant, now=now, report=_drift_logger(tenant))
    except Exception:
        logger.exception("audit_failed", tenant=tenant.slug, environment=tenant.environment)
        return None
    logger.info("audited", tenant=tenant.slug, environment=tenant.environment, rows=result.rows, drifts=result.drifts)
    return result.rows


def _drift_logger(tenant: Tenant) -> Callable[[Drift], None]:
    """Return a function that logs a drift as an error, at most MAX_LOGGED_DRIFTS times. The event `audited` has the full number."""
    logged = 0

    def report(drift: Drift) -> None:
        nonlocal logged
        logged += 1
        if logged <= MAX_LOGGED_DRIFTS:
            logger.error(
                "drift",
                tenant=tenant.slug,
                environment=tenant.environment,
                audit=drift.audit,
                about=drift.about,
                what=drift.what,
                expected=str(drift.expected),
                found=str(drift.found),
            )

    return report
