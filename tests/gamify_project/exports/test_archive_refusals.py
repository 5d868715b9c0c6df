"""Archives that `import_tenant` refuses, in plain text, and directories that `export_tenant` refuses."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from gamify.points.models import LedgerEntry
from participants.ids import new_id
from participants.models import Tenant
from streaks.models import Streak, StreakPause
from tests.gamify_project.exports.archives import edit_file, edit_manifest, manifest, remove
from tests.gamify_project.exports.world import plant


@pytest.fixture
def world(tenant):
    return plant(tenant)


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


def test_a_directory_that_is_not_empty_is_not_written_to(tenant, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(CommandError, match="is not empty"):
        call_command("export_tenant", "acme", str(tmp_path))

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
