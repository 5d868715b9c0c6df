"""Building files: kills, several workers, failures, and erasure."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from threading import Event

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from gamify_project.exports import building
from gamify_project.exports.building import ExportChanged, build_in_parts, chunks_of
from gamify_project.exports.models import Export, ExportPart, ExportStatus
from participants.api.exporting import export_kinds
from participants.models import LEASE
from participants.services.participants import anonymize, delete
from tests.client import Api
from tests.factories import made_key
from tests.gamify_project.exports.world import (
    ME,
    OTHER,
    create,
    csv_rows,
    done,
    exported,
    fetched,
    kinds,
    plant,
    run,
)
from tests.threads import in_own_connection


@pytest.fixture
def exporter(tenant):
    return plant(tenant)


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(building, "PAGE_ROWS", 1)
    monkeypatch.setattr(building, "PART_ROWS", 1)


def digest_of(export):
    return hashlib.sha256(b"".join(chunks_of(export))).hexdigest()


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_a_file_contains_what_units_write_that_were_open_when_it_was_requested(tenant):
    exporter, application = Api(made_key(tenant, "admin", name="exporter").key), Api(made_key(tenant).key)
    is_written, may_commit = Event(), Event()

    def award() -> None:
        with transaction.atomic():
            done(application.post("/points/award", {"participant_id": ME, "amount": 1, "reason": "was open"}))
            is_written.set()
            may_commit.wait(30)

    with ThreadPoolExecutor(1) as pool:
        awarding = pool.submit(in_own_connection, award)
        is_written.wait(30)
        about = create(exporter, "ledger")
        steps = build_in_parts(tenant=tenant, export_id=about["id"])
        assert next(steps) == 0, "the build waits"
        may_commit.set()
        awarding.result(timeout=30)

    assert sum(steps) == 1
    assert [row["reason"] for row in csv_rows(fetched(exporter, about)[1])] == ["was open"]


def test_a_build_that_is_killed_goes_on_after_its_last_part_with_the_same_bytes(tenant, exporter, small_parts):
    _, whole = exported(exporter, "ledger")
    about = create(exporter, "ledger")
    steps = build_in_parts(tenant=tenant, export_id=about["id"])
    next(steps), next(steps)
    before = Export.objects.get(pk=about["id"])
    assert (before.status, before.parts, before.rows) == (ExportStatus.RUNNING, 2, 2)

    run()
    assert Export.objects.get(pk=about["id"]).parts == 2, "another worker has the lease"
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1), tick=True):
        run()

    _, data = fetched(exporter, about)
    assert data == whole


def test_a_worker_that_comes_back_after_its_lease_adds_nothing(tenant, exporter, small_parts):
    about = create(exporter, "ledger")
    steps = build_in_parts(tenant=tenant, export_id=about["id"])
    next(steps)
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1), tick=True):
        run()
    export = Export.objects.get(pk=about["id"])

    assert list(steps) == []

    after = Export.objects.get(pk=about["id"])
    assert (after.status, after.rows, after.sha256) == (ExportStatus.DONE, export.rows, digest_of(export))


def test_a_build_whose_time_is_up_releases_its_lease(tenant, exporter, small_parts):
    about = create(exporter, "ledger")
    with closing(build_in_parts(tenant=tenant, export_id=about["id"])) as steps:
        next(steps)

    assert Export.objects.get(pk=about["id"]).leased_until is None
    run()
    fetched(exporter, about)


@pytest.mark.parametrize("erase", [delete, anonymize])
@pytest.mark.parametrize("kind", kinds())
def test_an_erased_participant_is_in_no_file_that_is_fetched_afterwards(tenant, exporter, kind, erase):
    about, before = exported(exporter, kind)
    if "participant_id" in export_kinds[kind].columns:
        assert ME.encode() in before

    erase(tenant=tenant, external_id=ME, now=timezone.now())

    assert not ExportPart.objects.exists()
    waiting = exporter.get(f"/admin/exports/{about['id']}").json()
    assert (waiting["status"], waiting["sha256"], waiting["url"]) == ("queued", None, None)
    assert exporter.get(f"/admin/exports/{about['id']}/file").status_code == 409
    run()
    again, after = fetched(exporter, about)
    assert ME.encode() not in after
    assert again["expires_at"] == about["expires_at"]
    assert OTHER.encode() in after or "participant_id" not in export_kinds[kind].columns


def test_a_part_that_was_read_before_an_erasure_is_not_added_after_it(tenant, exporter, monkeypatch):
    about = create(exporter, "ledger")
    store = building._store

    def erase_first(export, part):
        monkeypatch.setattr(building, "_store", store)
        delete(tenant=tenant, external_id=ME, now=timezone.now())
        return store(export, part)

    monkeypatch.setattr(building, "_store", erase_first)
    run()

    run()
    _, data = fetched(exporter, about)
    assert {row["participant_id"] for row in csv_rows(data)} == {OTHER}


def test_an_erasure_before_the_file_is_complete_is_not_overlooked(tenant, exporter, monkeypatch):
    about = create(exporter, "ledger")
    complete = building._complete

    def erase_first(export):
        monkeypatch.setattr(building, "_complete", complete)
        delete(tenant=tenant, external_id=ME, now=timezone.now())
        complete(export)

    monkeypatch.setattr(building, "_complete", erase_first)
    with closing(build_in_parts(tenant=tenant, export_id=about["id"])) as steps:
        assert list(steps) == []
    assert Export.objects.get(pk=about["id"]).status == ExportStatus.QUEUED

    run()
    _, data = fetched(exporter, about)
    assert {row["participant_id"] for row in csv_rows(data)} == {OTHER}


def test_a_download_breaks_off_when_a_participant_is_erased_meanwhile(tenant, exporter, small_parts):
    about, _ = exported(exporter, "ledger")
    chunks = chunks_of(Export.objects.get(pk=about["id"]))
    next(chunks)

    delete(tenant=tenant, external_id=ME, now=timezone.now())

    with pytest.raises(ExportChanged):
        next(chunks)


@pytest.mark.parametrize(
    ("kind", "filters"),
    [("ledger", {"participant_id": ME}), ("changes", {"code": ME})],
)
def test_an_export_about_an_erased_participant_disappears(tenant, exporter, kind, filters):
    about, _ = exported(exporter, kind, filters=filters)

    delete(tenant=tenant, external_id=ME, now=timezone.now())

    assert exporter.get(f"/admin/exports/{about['id']}").status_code == 404


def test_an_erasure_leaves_the_files_of_other_tenants_alone(tenant, other_tenant, exporter):
    stranger = plant(other_tenant)
    about, before = exported(stranger, "ledger")

    delete(tenant=tenant, external_id=ME, now=timezone.now())

    assert fetched(stranger, about)[1] == before


def test_a_part_ends_early_when_its_rows_are_large(exporter, monkeypatch):
    monkeypatch.setattr(building, "PAGE_ROWS", 1)
    monkeypatch.setattr(building, "PART_BYTES", 100)

    about, _ = exported(exporter, "ledger")

    assert ExportPart.objects.filter(export_id=about["id"]).count() > about["rows"] // 2
