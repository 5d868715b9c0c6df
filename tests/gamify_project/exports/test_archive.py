"""`export_tenant` and `import_tenant`: all of a tenant leaves, and comes back the same."""

import hashlib
import json
import os
import stat

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from gamify.points.models import LedgerEntry
from gamify.webhooks.models import Endpoint
from gamify_project.exports.archive.rows import lines_of, row_from
from gamify_project.exports.archive.tables import Table, archived_tables, is_of_tenants
from participants.archiving import archive_rules
from participants.ids import new_id
from participants.models import ApiKey, Participant, Removal, Tenant
from participants.secrets import decrypt
from participants.services.append_only import append_only
from participants.services.participants import delete, delete_all
from streaks.models import Streak, StreakPause
from tests.client import Api
from tests.conftest import OWN_PACKAGES
from tests.factories import raw_key
from tests.gamify_project.exports.world import ME, done, plant

OURS = [model for model in apps.get_models() if model.__module__.startswith((*OWN_PACKAGES, "gamify_project."))]


@pytest.fixture
def world(tenant):
    api = plant(tenant)
    hook = {"url": "http://127.0.0.1:9/hook", "event_types": ["*"]}
    return done(api.post("/admin/webhooks", hook))["secret"]


def remove(tenant):
    """Remove all rows of a tenant, as if the archive were on another installation."""
    delete_all(tenant=tenant, now=timezone.now())
    for table in reversed(archived_tables()):
        table.rows(tenant.pk).delete()


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


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


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


@pytest.mark.parametrize("name", ["points.LedgerEntry.ndjson", "programme.yaml"])
def test_a_changed_file_is_refused_and_nothing_is_restored(tenant, world, tmp_path, name):
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)
    with (tmp_path / name).open("a") as file:
        file.write("\n")

    with pytest.raises(CommandError, match=f"{name}: was changed"):
        call_command("import_tenant", str(tmp_path), "--as", "restored")

    assert not Tenant.objects.filter(slug="restored").exists()


def test_a_manifest_that_says_something_else_is_refused_and_nothing_is_restored(tenant, world, tmp_path):
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)
    text = (tmp_path / "manifest.json").read_text()
    delta = manifest(tmp_path)["tables"]["points.LedgerEntry.ndjson"]["sums"]["delta"]
    (tmp_path / "manifest.json").write_text(text.replace(f'"delta": {delta}', f'"delta": {delta + 1}'))

    with pytest.raises(CommandError, match="sums of the restored rows"):
        call_command("import_tenant", str(tmp_path), "--as", "restored")

    assert not Tenant.objects.filter(slug="restored").exists()
    assert not LedgerEntry.objects.exists()


def test_a_tenant_that_is_not_empty_is_refused(tenant, world, tmp_path):
    call_command("export_tenant", "acme", str(tmp_path))

    with pytest.raises(CommandError, match="is not empty"):
        call_command("import_tenant", str(tmp_path))


def test_rows_that_exist_already_are_refused(tenant, world, tmp_path):
    call_command("export_tenant", "acme", str(tmp_path))

    with pytest.raises(CommandError, match="another installation"):
        call_command("import_tenant", str(tmp_path), "--as", "copy")

    assert not Tenant.objects.filter(slug="copy").exists()


def test_an_archive_of_the_sandbox_is_restored_into_a_sandbox(tenant, tmp_path):
    plant(tenant.sandbox)
    call_command("export_tenant", "acme", str(tmp_path), "--sandbox")
    remove(tenant.sandbox)

    call_command("import_tenant", str(tmp_path))

    assert Participant.objects.of(tenant.sandbox).count() == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"version": 1}', '{"tables": {}}', '{"version": 1, "tables": {"a": 1}}']
)
def test_a_directory_without_a_manifest_is_refused(db, tmp_path, text):
    if text:
        (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(CommandError, match="Name the directory that export_tenant wrote"):
        call_command("import_tenant", str(tmp_path))


@pytest.mark.parametrize("change", [{"slug": 1}, {"tables": 1}, {"settings": []}, {"to_do": 1}, {"extra": 1}])
def test_a_manifest_with_fields_of_another_type_is_refused(tenant, tmp_path, change):
    call_command("export_tenant", "acme", str(tmp_path))
    edit_manifest(tmp_path, **change)

    with pytest.raises(CommandError, match="is not a manifest of an archive"):
        call_command("import_tenant", str(tmp_path), "--as", "restored")


def test_the_version_is_read_before_anything_else(db, tmp_path):
    (tmp_path / "manifest.json").write_text('{"version": 2, "files": []}')

    with pytest.raises(CommandError, match="has version 2; this release reads version 1"):
        call_command("import_tenant", str(tmp_path))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"timezone": None}, "settings that the database"),
        ({"name": "x" * 1000}, "value that the database"),
        ({"name": None, "hat": 1}, "another release"),
    ],
)
def test_settings_that_cannot_be_stored_are_refused_in_plain_text(tenant, tmp_path, settings, problem):
    if "name" in settings and "hat" not in settings and connection.vendor == "sqlite":
        pytest.skip("SQLite stores texts of any length")
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)
    edit_manifest(tmp_path, settings=manifest(tmp_path)["settings"] | settings)

    with pytest.raises(CommandError, match=problem):
        call_command("import_tenant", str(tmp_path), "--as", "restored")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b'"external_id"', b'"external"', "does not have the columns"),
        (b'"id":"', b'"id":"x', "is not a valid UUID"),
        (b'"is_active":true', b'"is_active":"perhaps"', "must be either True or False"),
        (b"{", b"\xff{", "can't decode"),
        (b"{", b"[", "Expecting"),
    ],
)
def test_a_line_that_cannot_be_read_is_refused_with_its_number(tenant, world, tmp_path, old, new, problem):
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)
    edit_file(tmp_path, "participants.Participant.ndjson", old, new)

    with pytest.raises(CommandError, match=rf"participants.Participant.ndjson: line 1 cannot be read: .*{problem}"):
        call_command("import_tenant", str(tmp_path), "--as", "restored")


def test_a_row_that_refers_to_a_row_which_is_missing_is_refused(tenant, world, tmp_path):
    streak = Streak.objects.get()
    StreakPause.objects.create(tenant=tenant, streak=streak, began_at=timezone.now())
    call_command("export_tenant", "acme", str(tmp_path))
    remove(tenant)
    edit_file(tmp_path, "streaks.StreakPause.ndjson", str(streak.pk).encode(), str(new_id()).encode())

    with pytest.raises(CommandError, match="refer to rows which are not in the archive"):
        call_command("import_tenant", str(tmp_path), "--as", "restored")


def edit_manifest(folder, **change):
    (folder / "manifest.json").write_text(json.dumps(manifest(folder) | change))


def edit_file(folder, name, old, new, **content):
    """Change the first occurrence of `old` in a file of the archive, and the manifest so that it fits."""
    path = folder / name
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    about = manifest(folder)["tables"]
    about[name] |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **content}
    edit_manifest(folder, tables=about)


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


def test_a_directory_that_is_not_empty_is_not_written_to(tenant, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(CommandError, match="is not empty"):
        call_command("export_tenant", "acme", str(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_every_row_is_the_same_after_a_line_and_back(tenant, world):
    for table in archived_tables():
        for line, row in lines_of(table, tenant.pk):
            restored = row_from(table, line, tenant.pk)
            assert {name: getattr(restored, name) for name in table.columns} == row, table.label


def test_a_model_with_a_tenant_is_found():
    assert is_of_tenants(LedgerEntry)
    assert not is_of_tenants(Tenant)
    assert "tenant_id" not in Table(LedgerEntry).columns
