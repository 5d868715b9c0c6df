"""Audits are run, tenant by tenant, and what the newest came to is kept for whoever watches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Exists, OuterRef

from participants.auditing import Audit, Drift, Seen, audits, streamed
from participants.models import AuditRun, IdempotencyKey, Participant, Tenant
from participants.work.snapshots import snapshot


@dataclass(frozen=True)
class Audited:
    """How many rows were looked at, and how many drifts were told of."""

    rows: int
    drifts: int


def audit(
    *, tenant: Tenant, now: datetime, tell: Callable[[Drift], object], seen: Seen = lambda number: None
) -> Audited:
    """Look at everything of `tenant` that must agree, as it stands at one moment, and `tell` of each drift. Nobody is waited for,
    and nobody waits.
    """
    AuditRun.objects.update_or_create(tenant=tenant, defaults={"began_at": now})
    audited = _audited(tenant, tell, seen)
    result = {"audited_at": now, "rows": audited.rows, "drifts": audited.drifts}
    AuditRun.objects.update_or_create(tenant=tenant, defaults=result, create_defaults={"began_at": now, **result})
    return audited


def _audited(tenant: Tenant, tell: Callable[[Drift], object], seen: Seen) -> Audited:
    rows = drifts = 0

    def count(number: int) -> None:
        nonlocal rows
        rows += number
        seen(number)

    with snapshot(tenant):
        for drift in _drifts(tenant, count):
            drifts += 1
            tell(drift)
    return Audited(rows, drifts)


def _drifts(tenant: Tenant, seen: Seen) -> Iterator[Drift]:
    for name, each in audits.items():
        for drift in each.find(tenant, seen):
            yield replace(drift, audit=name)


def size_of(tenant: Tenant) -> int:
    """How many rows an audit of `tenant` will look at."""
    return sum(each.size(tenant) for each in audits.values())


# --- this package's own audit ---------------------------------------------------------------------------------------------


def _keys_of_nobody(tenant: Tenant, seen: Seen) -> Iterator[Drift]:
    """Keys go with their participant; those of batches are the tenant's."""
    keys = IdempotencyKey.objects.filter(tenant_id=tenant.pk)
    owners = Participant.objects.filter(tenant_id=tenant.pk, pk=OuterRef("subject"))
    of_nobody = keys.exclude(subject=tenant.pk).filter(~Exists(owners))
    for operation, key, subject in streamed(of_nobody.values_list("operation", "key", "subject"), lambda number: None):
        yield Drift(f"answer under {operation} {key}", "participant", "one that exists", subject)
    seen(keys.count())


KEYS = Audit(lambda tenant: IdempotencyKey.objects.filter(tenant_id=tenant.pk).count(), _keys_of_nobody)


def register_audits() -> None:
    """Called once the apps are loaded."""
    audits.register("idempotency keys", KEYS)
