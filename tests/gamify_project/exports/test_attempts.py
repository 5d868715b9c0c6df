"""Attempts at building a file: workers that fail, workers that are killed, and what becomes of an export that is given up."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from structlog.testing import capture_logs

from gamify_project.exports import building
from gamify_project.exports.building import build_in_parts
from gamify_project.exports.models import Export, ExportPart, ExportStatus
from gamify_project.exports.tasks import build
from participants.api.exporting import export_kinds
from participants.models import LEASE, MAX_ATTEMPTS
from participants.services.participants import delete
from tests.console import Console, text_of
from tests.gamify_project.exports.world import ME, create, exported, fetched, plant, run

AFTER_THE_LEASE = LEASE + timedelta(seconds=1)


class Killed(BaseException):
    """Ends a worker as SIGKILL does: no code of the product handles it."""


@pytest.fixture
def exporter(tenant):
    return plant(tenant)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(building, "PAGE_ROWS", 1)
    monkeypatch.setattr(building, "PART_ROWS", 1)


def state_of(about):
    return Export.objects.get(pk=about["id"])


def kill_after(parts, tenant, about, monkeypatch):
    """Let a worker write this many parts, and kill it before the next one."""
    steps = build_in_parts(tenant=tenant, export_id=about["id"])
    for _ in range(parts):
        next(steps)
    with monkeypatch.context() as patch:
        patch.setattr(building, "_next_part", raising(Killed()))
        with pytest.raises(Killed):
            next(steps)


def raising(error):
    def fail(*args):
        raise error

    return fail


def test_an_export_that_cannot_be_built_fails_after_some_attempts(exporter, monkeypatch):
    about = create(exporter, "ledger")
    monkeypatch.setattr(building, "_next_part", lambda *args: 1 / 0)

    for _ in range(MAX_ATTEMPTS):
        run()

    found = exporter.get(f"/admin/exports/{about['id']}").json()
    assert (found["status"], found["url"], found["sha256"]) == ("failed", None, None)
    assert "failed" in found["problem"]


def test_an_export_whose_workers_are_killed_is_given_up_after_some_attempts(tenant, exporter, monkeypatch):
    about = create(exporter, "ledger")
    with time_machine.travel(timezone.now(), tick=True) as clock:
        for _ in range(MAX_ATTEMPTS):
            kill_after(0, tenant, about, monkeypatch)
            assert state_of(about).status == ExportStatus.RUNNING
            clock.shift(AFTER_THE_LEASE)

        run()

    found = exporter.get(f"/admin/exports/{about['id']}").json()
    assert (found["status"], found["problem"]) == ("failed", building.GIVEN_UP)


def test_workers_that_are_killed_after_a_part_each_do_not_make_an_export_fail(
    tenant, exporter, monkeypatch, small_parts
):
    _, whole = exported(exporter, "ledger")
    about = create(exporter, "ledger")
    with time_machine.travel(timezone.now(), tick=True) as clock:
        for _ in range(MAX_ATTEMPTS + 1):
            kill_after(1, tenant, about, monkeypatch)
            clock.shift(AFTER_THE_LEASE)

        assert state_of(about).parts == MAX_ATTEMPTS + 1
        run()
        assert fetched(exporter, about)[1] == whole


def test_a_worker_whose_time_is_up_has_attempted_nothing(tenant, exporter, small_parts):
    about = create(exporter, "ledger")
    for _ in range(MAX_ATTEMPTS + 1):
        with closing(build_in_parts(tenant=tenant, export_id=about["id"])) as steps:
            next(steps)

    assert (state_of(about).attempts, state_of(about).leased_until) == (0, None)


def test_a_file_whose_completion_fails_gets_no_further_parts_and_is_given_up(exporter, monkeypatch):
    about = create(exporter, "ledger")
    parts = []
    monkeypatch.setattr(building, "_complete", lambda export: parts.append(export.parts) or 1 / 0)

    run()
    while state_of(about).status != ExportStatus.FAILED:
        run()

    assert parts == [1] * MAX_ATTEMPTS
    assert not ExportPart.objects.exists()


def test_an_export_that_failed_is_deleted_when_its_file_would_have_been(exporter, monkeypatch):
    about = create(exporter, "ledger")
    with monkeypatch.context() as patch:
        patch.setattr(building, "_next_part", raising(ZeroDivisionError()))
        for _ in range(MAX_ATTEMPTS):
            run()
    expires_at = state_of(about).expires_at
    assert timedelta(hours=23) < expires_at - timezone.now() <= timedelta(hours=24)
    assert exporter.get(f"/admin/exports/{about['id']}/file").status_code == 409

    with time_machine.travel(expires_at, tick=False):
        assert exporter.get(f"/admin/exports/{about['id']}/file").status_code == 410
        build()

    assert not Export.objects.exists()


def test_the_lease_is_renewed_while_the_sha_256_is_computed(tenant, exporter, monkeypatch, small_parts):
    about = create(exporter, "ledger")
    seconds_left = []
    chunks_of = building.chunks_of

    with time_machine.travel(timezone.now(), tick=False) as clock:

        def slowly(export):
            for chunk in chunks_of(export):
                seconds_left.append((state_of(about).leased_until - timezone.now()).total_seconds())
                clock.shift(LEASE * 0.9)
                yield chunk

        monkeypatch.setattr(building, "chunks_of", slowly)
        run()

    assert len(seconds_left) > 2
    assert set(seconds_left) == {LEASE.total_seconds()}


def test_the_log_says_exported_only_if_the_file_is_complete(tenant, exporter, monkeypatch):
    create(exporter, "ledger")
    complete = building._complete

    def erase_first(export):
        delete(tenant=tenant, external_id=ME, now=timezone.now())
        complete(export)

    with monkeypatch.context() as patch, capture_logs() as overtaken:
        patch.setattr(building, "_complete", erase_first)
        run()
    with capture_logs() as finished:
        run()

    assert "exported" not in [each["event"] for each in overtaken]
    assert [each["rows"] for each in finished if each["event"] == "exported"] == [3]


# --- other releases ---------------------------------------------------------------------------------------------------


def test_a_file_that_a_release_with_other_columns_began_is_built_again(tenant, exporter, monkeypatch, small_parts):
    _, whole = exported(exporter, "ledger")
    about = create(exporter, "ledger")
    kind = export_kinds["ledger"]
    fewer = replace(kind, columns=dict(list(kind.columns.items())[:-1]), fields=kind.fields[:-1])
    with monkeypatch.context() as patch:
        patch.setitem(export_kinds._entries, "ledger", fewer)
        with closing(build_in_parts(tenant=tenant, export_id=about["id"])) as steps:
            next(steps)
            next(steps)
    before = state_of(about)

    run()

    after = state_of(about)
    assert (before.parts, after.build) == (2, before.build + 1)
    assert fetched(exporter, about)[1] == whole


def test_a_kind_that_only_the_next_release_has_waits_for_its_workers(tenant, exporter, monkeypatch):
    about = create(exporter, "ledger")
    with monkeypatch.context() as patch:
        patch.delitem(export_kinds._entries, "ledger")
        run()

        assert exporter.get(f"/admin/exports/{about['id']}/file").status_code == 404
        assert "ledger" in text_of(Console(tenant).get("exports_export_changelist"))

    assert (state_of(about).status, state_of(about).attempts) == (ExportStatus.QUEUED, 0)
    run()
    assert state_of(about).status == ExportStatus.DONE
