"""Runs the audits of a tenant, and stores the result of the newest audit for monitoring."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, OuterRef

from participants.auditing import Audit, Drift, ProgressReporter, audits, stream_rows
from participants.models import AuditRun, IdempotencyKey, Participant, Tenant
from participants.work.reading import reading
from participants.work.snapshots import snapshot


@dataclass(frozen=True)
class AuditResult:
    """How many rows an audit read, and how many drifts it reported."""

    rows: int
    drifts: int


def audit(
    *,
    tenant: Tenant,
    now: datetime,
    report: Callable[[Drift], object],
    report_progress: ProgressReporter = lambda number: None,
) -> AuditResult:
    """Run all audits of `tenant` on one snapshot, and call `report` with each drift. Stores the result in AuditRun.

    `report_progress` is called with the number of rows read since the last call. Takes no locks.
    """
    with reading(tenant):
        AuditRun.objects.update_or_create(tenant=tenant, defaults={"began_at": now})
        result = _run_audits(tenant, report, report_progress)
        values = {"audited_at": now, "rows": result.rows, "drifts": result.drifts}
        AuditRun.objects.update_or_create(tenant=tenant, defaults=values, create_defaults={"began_at": now, **values})
    return result


def _run_audits(tenant: Tenant, report: Callable[[Drift], object], report_progress: ProgressReporter) -> AuditResult:
    rows = drifts = 0

    def count(number: int) -> None:
        nonlocal rows
        rows += number
        report_progress(number)

    with snapshot(tenant):
        for drift in _drifts(tenant, count):
            drifts += 1
            report(drift)
    return AuditResult(rows, drifts)


def _drifts(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    for name, one in audits.items():
        for drift in one.find(tenant, report_progress):
            yield replace(drift, audit=name)


def audit_size(tenant: Tenant) -> int:
    """How many rows an audit of `tenant` will read."""
    return sum(each.size(tenant) for each in audits.values())


# --- the audit of this package ---------------------------------------------------------------------------------------------


def _find_keys_without_participant(tenant: Tenant, report_progress: ProgressReporter) -> Iterator[Drift]:
    """Yield a drift for each idempotency key of a participant who does not exist. Keys of batches belong to the tenant."""
    keys = IdempotencyKey.objects.filter(tenant_id=tenant.pk)
    owners = Participant.objects.filter(tenant_id=tenant.pk, pk=OuterRef("subject"))
    orphans = keys.exclude(subject=tenant.pk).filter(~Exists(owners))
    for operation, key, subject in stream_rows(orphans.values_list("operation", "key", "subject"), lambda number: None):
        yield Drift(f"answer under {operation} {key}", "participant", "one that exists", subject)
    report_progress(keys.count())


KEYS = Audit(lambda tenant: IdempotencyKey.objects.filter(tenant_id=tenant.pk).count(), _find_keys_without_participant)


def register_audits() -> None:
    """Called once the apps are loaded."""
    audits.register("idempotency keys", KEYS)
