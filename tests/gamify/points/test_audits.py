"""What an audit reads is of one moment, however long it takes and whoever writes meanwhile."""

from datetime import UTC, datetime

import pytest

from gamify.points.services import Change, award
from participants import auditing
from participants.models import AuditRun, Participant, Tenant
from participants.services.auditing import audit
from participants.services.tenants import create_tenant
from tests.threads import all_at_once

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
PEOPLE = ("ada", "bo", "cy")


def credit(tenant_id, who):
    award(tenant=Tenant.objects.get(pk=tenant_id), change=Change(who, 5), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_rows_written_during_an_audit_are_no_fault_and_writers_do_not_wait(monkeypatch):
    monkeypatch.setattr(auditing, "CHUNK", 1)
    tenant = create_tenant(slug="acme", name="Acme", now=NOW)
    for who in PEOPLE:
        credit(tenant.pk, who)
    written, drifts = [], []

    def write(number):
        """With each row that is read, everybody is awarded something."""
        written.extend(all_at_once([lambda: [credit(tenant.pk, who) for who in PEOPLE]]))

    audited = audit(tenant=tenant, now=NOW, report=drifts.append, report_progress=write)

    assert drifts == []
    assert not [each for each in written if isinstance(each, Exception)]
    assert set(Participant.objects.values_list("ledger_count", flat=True)) == {1 + len(written)}
    assert AuditRun.objects.get().rows == audited.rows
