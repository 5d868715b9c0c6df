"""`export_tenant` and `import_tenant`: all of a tenant leaves, and comes back the same."""

import os
import stat

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from gamify.points.models import LedgerEntry
from gamify.webhooks.models import Endpoint
from gamify_project.exports.archive.rows import lines_of, row_from
from gamify_project.exports.archive.tables import Table, archived_tables, is_of_tenants
from participants.archiving import archive_rules
from participants.models import ApiKey, Participant, Removal, Tenant
from participants.secrets import decrypt
from participants.services.append_only import append_only
from participants.services.participants import delete
from tests.client import Api
from tests.conftest import OWN_PACKAGES
from tests.factories import raw_key
from tests.gamify_project.exports.archives import manifest, remove
from tests.gamify_project.exports.world import ME, done, plant

OURS = [model for model in apps.get_models() if model.__module__.startswith((*OWN_PACKAGES, "gamify_project."))]


@pytest.fixture
def world(tenant):
    api = plant(tenant)
    hook = {"url": "http://127.0.0.1:9/hook", "event_types": ["*"]}
    return done(api.post("/admin/webhooks", hook))["secret"]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_table_is_archived_or_its_app_says_why_not(model):
    assert bool(Table(model).left_out) != (model in {table.model for table in archived_tables()})


@pytest.mark.parametrize("table", list(append_only.values()), ids=lambda table: table.table)
def test_tables_into_which_the_application_may_not_insert_are_left_out(table):
    assert table.is_insertable or Table(table.model).left_out


def test_a_tenant_with_an_erased_participant_is_restored_without_the_records_of_removals(tenant, world, tmp_path):
    delete(tenant=tenant, external_id=ME, now=timezone.now())
    assert Removal.objects.filter(tenant=tenant).exists()
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)

    call_command("import_tenant", str(tmp_path), "--as", "restored")

    assert "participants.Removal" in manifest(tmp_path)["left_out"]
    restored = Tenant.objects.live().get(slug="restored")
    assert not Removal.objects.filter(tenant=restored).exists()
    assert Participant.objects.of(restored).count() == 1


def test_every_rule_is_about_a_table_that_exists():
    assert set(archive_rules) <= {model._meta.label for model in OURS}


@pytest.mark.parametrize("table", archived_tables(), ids=lambda table: table.label)
def test_no_secret_is_archived(table):
    assert [
        name
        for name in table.columns
        if "cipher" in name or ("digest" in name and table.label != "participants.IdempotencyKey")
    ] == []


def test_a_tenant_is_restored_under_another_slug_with_the_same_bytes(tenant, world, tmp_path):
    entries = LedgerEntry.objects.count()
    call_command("export_tenant", "acme", str(tmp_path / "first"))
    remove(tenant)

    call_command("import_tenant", str(tmp_path / "first"), "--as", "restored")
    call_command("export_tenant", "restored", str(tmp_path / "second"))

    restored = Tenant.objects.live().get(slug="restored")
    assert LedgerEntry.objects.filter(tenant_id=restored.pk).count() == entries
    first, second = (manifest(tmp_path / name) for name in ("first", "second"))
    changes = "participants.ConfigurationChange.ndjson"  # has the creation of the new tenant besides
    assert second["tables"].pop(changes)["rows"] == first["tables"].pop(changes)["rows"] + 1
    assert (second["tables"], second["programme_sha256"]) == (first["tables"], first["programme_sha256"])
    api = Api(raw_key(restored, "admin"))
    assert api.get(f"/participants/{ME}/points").json()["balance"] == 104
    assert done(api.post("/points/award", {"participant_id": ME, "amount": 1}))["new_balance"] == 105
    call_command("verify_ledger", "--tenant", "restored")


def test_the_manifest_has_counts_and_sums_and_says_what_is_missing(tenant, world, tmp_path):
    call_command("export_tenant", "acme", str(tmp_path))

    found = manifest(tmp_path)
    ledger = found["tables"]["points.LedgerEntry.ndjson"]
    assert ledger["rows"] == LedgerEntry.objects.count()
    assert ledger["sums"]["delta"] == sum(Participant.objects.of(tenant).values_list("balance", flat=True))
    assert "participants.ApiKey" in found["left_out"]
    assert any("API keys" in each for each in found["to_do"])


def test_no_key_and_no_secret_is_in_any_file(tenant, world, tmp_path):
    call_command("export_tenant", "acme", str(tmp_path))

    text = "".join(path.read_text() for path in tmp_path.iterdir())
    stored = [*ApiKey.objects.values_list("digest", flat=True), *Endpoint.objects.values_list("ciphertext", flat=True)]
    assert [each for each in (*stored, world) if each in text] == []


def test_a_restored_webhook_has_a_new_secret(tenant, world, tmp_path):
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)
    call_command("import_tenant", str(tmp_path), "--as", "restored")

    secret = decrypt(Endpoint.objects.get().ciphertext, of="the webhook")
    assert secret is not None
    assert secret.startswith("whsec_")
    assert secret != world


def test_an_archive_of_the_sandbox_is_restored_into_a_sandbox(tenant, tmp_path):
    plant(tenant.sandbox)
    call_command("export_tenant", "acme", str(tmp_path), "--sandbox")
    remove(tenant.sandbox)

    call_command("import_tenant", str(tmp_path))

    assert Participant.objects.of(tenant.sandbox).count() == 2


def test_only_the_user_who_writes_an_archive_may_read_it(tenant, tmp_path):
    before = os.umask(0)
    try:
        call_command("export_tenant", "acme", str(tmp_path / "new"))
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()} == {0o600}


def test_the_output_has_a_line_for_each_thing_to_do(tenant, world, tmp_path, capsys):
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)
    capsys.readouterr()

    call_command("import_tenant", str(tmp_path), "--as", "restored")

    output = capsys.readouterr().out
    assert ".," not in output
    lines = [line.removeprefix("to_do").strip() for line in output.splitlines()]
    assert [line for line in lines if line in manifest(tmp_path)["to_do"]] == manifest(tmp_path)["to_do"]


def test_every_row_is_the_same_after_a_line_and_back(tenant, world):
    for table in archived_tables():
        for line, row in lines_of(table, tenant.pk):
            restored = row_from(table, line, tenant.pk)
            assert {name: getattr(restored, name) for name in table.columns} == row, table.label


def test_a_model_with_a_tenant_is_found():
    assert is_of_tenants(LedgerEntry)
    assert not is_of_tenants(Tenant)
    assert "tenant_id" not in Table(LedgerEntry).columns
