"""export_programme, import_programme and rollback_programme."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from gamify.badges.models import Badge
from gamify_project.programme.items import programme_text
from tests.gamify_project.programme.worlds import EVERYTHING

pytestmark = pytest.mark.django_db

ONE_BADGE = "version: 1\nbadges:\n  - {code: a, name: A}\n"


@pytest.fixture
def run():
    def call(*arguments):
        out = io.StringIO()
        call_command(*map(str, arguments), stdout=out)
        return out.getvalue()

    return call


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "programme.yaml"
    path.write_text(EVERYTHING, encoding="utf-8")
    return path


def test_what_is_exported_can_be_imported_elsewhere(tenant, file, tmp_path, run):
    run("import_programme", file, "--tenant", "acme")
    exported = tmp_path / "exported.yaml"
    run("export_programme", "--tenant", "acme", "--output", exported)
    run("import_programme", exported, "--tenant", "acme", "--sandbox")

    assert (
        run("export_programme", "--tenant", "acme", "--sandbox")
        == exported.read_text("utf-8")
        == programme_text(tenant)
    )


def test_a_check_has_exit_code_2_if_the_import_would_change_something(tenant, file, run, nothing_written):
    with nothing_written(), pytest.raises(SystemExit) as end:
        run("import_programme", file, "--tenant", "acme", "--check")
    assert end.value.code == 2

    run("import_programme", file, "--tenant", "acme")
    with nothing_written():
        run("import_programme", file, "--tenant", "acme", "--check", "--prune")


def test_a_dry_run_prints_what_would_change(tenant, file, run, nothing_written):
    file.write_text(ONE_BADGE)
    run("import_programme", file, "--tenant", "acme")
    file.write_text(ONE_BADGE.replace("name: A", "name: B"))
    with nothing_written():
        text = run("import_programme", file, "--tenant", "acme", "--dry-run")
        report = json.loads(run("import_programme", file, "--tenant", "acme", "--dry-run", "--json"))

    assert "changed badge a  affects 0 participants; name: A → B" in text
    assert report["dry_run"] is True
    assert report["changed"][0]["changes"] == {"name": {"before": "A", "after": "B"}}


def test_a_file_with_faults_prints_all_of_them_and_has_exit_code_1(tenant, file, run, nothing_written):
    file.write_text("version: 1\nbadges:\n  - {code: a, nam: A}\nfoo: 1\n")
    with nothing_written(), pytest.raises(CommandError) as error:
        run("import_programme", file, "--tenant", "acme")

    lines = [line.removeprefix(f"{file}: ") for line in str(error.value).splitlines()]
    assert [line.partition(": ")[0] for line in lines] == ["badges.0.nam", "badges.0.name", "foo"]
    assert "Line 3: is not a known key; did you mean name?" in lines[0]
    assert error.value.returncode == 1


def test_a_missing_file_and_an_unknown_tenant_are_one_line(tenant, tmp_path, run):
    with pytest.raises(CommandError, match="No such file"):
        run("import_programme", tmp_path / "none.yaml", "--tenant", "acme")
    with pytest.raises(CommandError, match="Tenant not found: nobody"):
        run("export_programme", "--tenant", "nobody")


def test_a_rollback_restores_the_previous_programme(tenant, file, run):
    with pytest.raises(CommandError, match="Previous programme not found"):
        run("rollback_programme", "--tenant", "acme")
    file.write_text(ONE_BADGE)
    run("import_programme", file, "--tenant", "acme")

    assert "would change" in run("rollback_programme", "--tenant", "acme", "--dry-run")
    assert Badge.objects.of(tenant).active().exists()
    assert json.loads(run("rollback_programme", "--tenant", "acme", "--json"))["archived"][0]["code"] == "a"
    assert not Badge.objects.of(tenant).active().exists()
