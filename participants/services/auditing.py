"""Audits are run, tenant by tenant, and what the newest came to is kept for whoever watches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, OuterRef

from participants.auditing import Audit, Drift, ProgressReporter, audits, stream_rows
from participants.models import AuditRun, IdempotencyKey, Participant, Tenant
from participants.work.snapshots import snapshot


@dataclass(frozen=True)
class AuditResult:
    """How many rows were looked at, and how many drifts were told of."""

    rows: int
    drifts: int


def audit(
    *,
    tenant: Tenant,
    now: datetime,
    report: Callable[[Drift], object],
    report_progress: ProgressReporter = lambda number: None,
) -> AuditResult:
    """Look at everything of `tenant` that must agree, as it stands at one moment, and `tell` of each drift. Nobody is waited for,
    and nobody waits.
    """
    AuditRun.objects.update_or_create(tenant=tenant, defaults={"began_at": now})
    audited = _audited(tenant, report, report_progress)
    result = {"audited_at": now, "rows": audited.rows, "drifts": audited.drifts}
    AuditRun.objects.update_or_create(tenant=tenant, defaults=result, create_defaults={"began_at": now, **result})
    return audited


def _audited(tenant: Tenant, tell: Callable[[Drift], object], report_progress: ProgressReporter) -> AuditResult:
    rows = drifts = 0

    def count(number: int) -> None:
        nonlocal rows
        rows += number
        report_progress(number)

    with snapshot(tenant):
        for drift in _drifts(tenant, count):
            drifts += 1
            tell(drift)
    return AuditResult(rows, drifts)


def _drifts(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    for name, each in audits.items():
        for drift in each.find(tenant, report_progress):
            yield replace(drift, audit=name)


def audit_size(tenant: Tenant) -> int:
    """How many rows an audit of `tenant` will look at."""
    return sum(each.size(tenant) for each in audits.values())


# --- this package's own audit ---------------------------------------------------------------------------------------------


def _keys_of_nobody(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    """Keys go with their participant; those of batches are the tenant's."""
    keys = IdempotencyKey.objects.filter(tenant_id=tenant.pk)
    owners = Participant.objects.filter(tenant_id=tenant.pk, pk=OuterRef("subject"))
    of_nobody = keys.exclude(subject=tenant.pk).filter(~Exists(owners))
    for operation, key, subject in stream_rows(
        of_nobody.values_list("operation", "key", "subject"), lambda number: None
    ):
        yield Drift(f"answer under {operation} {key}", "participant", "one that exists", subject)
    report_progress(keys.count())


KEYS = Audit(lambda tenant: IdempotencyKey.objects.filter(tenant_id=tenant.pk).count(), _keys_of_nobody)


def register_audits() -> None:
    """Called once the apps are loaded."""
    audits.register("idempotency keys", KEYS)
