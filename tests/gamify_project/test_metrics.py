"""The metrics for Prometheus, and the nightly audits that they report."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog
import time_machine
from django.test import Client

from participants import tasks
from participants.models import AuditRun, Participant, Tenant
from participants.selectors import tenants_to_audit
from participants.services.auditing import audit
from participants.work import reading
from tests.factories import ParticipantFactory

NOW = datetime(2026, 2, 14, 3, 37, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def night():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def audit_metrics():
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    lines = answer.content.decode().splitlines()
    figures = (line.split() for line in lines if line.startswith("gamify_audit_"))
    return {name: float(value) for name, value in figures}


def wrong(tenant):
    ParticipantFactory(tenant=tenant, external_id="ada", tier_count=7)
    ParticipantFactory(tenant=tenant, external_id="bo", badge_count=7)


def test_without_tenants_there_is_nothing_stale(night):
    assert audit_metrics() == {"gamify_audit_drifts": 0, "gamify_audit_rows": 0, "gamify_audit_tenants_with_drifts": 0}


def test_the_metrics_report_what_the_worker_found(night, tenant, other_tenant):
    wrong(tenant)

    tasks.verify()

    rows = sum(AuditRun.objects.values_list("rows", flat=True))
    assert audit_metrics() == {
        "gamify_audit_drifts": 2,
        "gamify_audit_rows": rows,
        "gamify_audit_tenants_with_drifts": 1,
        "gamify_audit_stalest_timestamp_seconds": NOW.timestamp(),
    }
    assert rows


def test_a_tenant_that_was_never_audited_is_stale_from_its_creation_on(night, tenant):
    audit(tenant=tenant, now=NOW + DAY, report=print)

    assert audit_metrics()["gamify_audit_stalest_timestamp_seconds"] == NOW.timestamp()


def test_each_drift_is_an_error_in_the_log_up_to_a_number(night, tenant, monkeypatch):
    wrong(tenant)
    monkeypatch.setattr(tasks, "MAX_LOGGED_DRIFTS", 1)

    with structlog.testing.capture_logs() as logs:
        tasks.verify()

    [drift] = [line for line in logs if line["event"] == "drift"]
    assert drift == {
        "event": "drift", "log_level": "error", "tenant": "acme", "environment": "live", "audit": "tiers",
        "about": "participant ada", "what": "tier_count", "expected": "0", "found": "7",
    }  # fmt: skip
    assert [line["drifts"] for line in logs if line["event"] == "audited" and line["environment"] == "live"] == [2]


def test_a_tenant_is_audited_once_a_night(night, tenant):
    tasks.verify()
    began = AuditRun.objects.get(tenant=tenant).began_at
    night.shift(2 * HOUR)
    tasks.verify()
    assert AuditRun.objects.get(tenant=tenant).began_at == began

    night.shift(DAY)
    tasks.verify()
    assert AuditRun.objects.get(tenant=tenant).began_at == NOW + DAY + 2 * HOUR


def test_the_next_hourly_run_continues_with_the_rest(night, tenant, other_tenant, monkeypatch):
    monkeypatch.setattr(tasks, "BUDGET_SECONDS", -1.0)

    with structlog.testing.capture_logs() as logs:
        tasks.verify()

    assert [line["tenants"] for line in logs if line["event"] == "audits_unfinished"] == [4]
    assert len(tenants_to_audit(since=NOW)) == 4


def test_tenants_without_an_audit_come_first_then_the_stalest(night, tenant, other_tenant):
    for days, audited in enumerate([other_tenant.sandbox, other_tenant, tenant], start=1):
        audit(tenant=audited, now=NOW - days * DAY, report=print)

    assert tenants_to_audit(since=NOW) == [tenant.sandbox, tenant, other_tenant, other_tenant.sandbox]


def test_an_audit_that_fails_stops_no_other_and_stays_stale(night, tenant, other_tenant, monkeypatch):
    def fail(*, tenant, **more):
        if tenant.slug == "acme":
            with reading(tenant):
                AuditRun.objects.create(tenant=tenant, began_at=NOW)
            raise RuntimeError("broken")
        return audit(tenant=tenant, **more)

    monkeypatch.setattr(tasks, "audit", fail)

    with structlog.testing.capture_logs() as logs:
        tasks.verify()

    assert [line["tenant"] for line in logs if line["event"] == "audit_failed"] == ["acme", "acme"]
    assert set(AuditRun.objects.exclude(audited_at=None).values_list("tenant__slug", flat=True)) == {"globex"}
    assert not Participant.objects.exists()
    assert Tenant.objects.count() == 4
