"""What beat starts: every tenant is audited once a night, and old keys of batches are hashed."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from celery import shared_task
from django.utils import timezone

from participants.auditing import Drift
from participants.models import Tenant
from participants.selectors import tenants_to_audit
from participants.services.auditing import audit
from participants.services.batch_keys import hash_old_keys

# No tenant is begun later than this after the task was, well before a worker is killed: the next hour goes on with the rest.
BUDGET_SECONDS = 240.0
A_NIGHT = timedelta(hours=20)
TOLD_OF_EACH = 1_000

logger = structlog.get_logger(__name__)


@shared_task(name="participants.verify")
def verify() -> None:
    """Audit those that were not audited this night, and tell the log of what does not agree."""
    now, ends_at = timezone.now(), time.monotonic() + BUDGET_SECONDS
    waiting = tenants_to_audit(since=now - A_NIGHT)
    for done, tenant in enumerate(waiting):
        if time.monotonic() > ends_at:
            logger.warning("audits_unfinished", tenants=len(waiting) - done)
            return
        _verify(tenant, now=now)


@shared_task(name="participants.hash_batch_keys")
def hash_batch_keys() -> None:
    """Hash the idempotency keys of batches that are older than a week: their text may name participants."""
    ends_at, hashed = time.monotonic() + BUDGET_SECONDS, 0
    for step in hash_old_keys(now=timezone.now()):
        hashed += step
        if time.monotonic() > ends_at:
            break
    logger.info("batch_keys_hashed", keys=hashed)


def _verify(tenant: Tenant, *, now: datetime) -> None:
    try:
        audited = audit(tenant=tenant, now=now, report=_teller(tenant))
    except Exception:
        logger.exception("audit_failed", tenant=tenant.slug, environment=tenant.environment)
        return
    logger.info("audited", tenant=tenant.slug, environment=tenant.environment, rows=audited.rows, drifts=audited.drifts)


def _teller(tenant: Tenant) -> Callable[[Drift], None]:
    """Each drift is an error in the log, of one tenant so many at most: `audited` says how many there were."""
    told = 0

    def tell(drift: Drift) -> None:
        nonlocal told
        told += 1
        if told <= TOLD_OF_EACH:
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

    return tell
