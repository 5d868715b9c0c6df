"""`backup` and `restore`: what was written before the backup is there afterwards, and a damaged backup is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import ROOT, deployment, empty_database
from tests.trials.installation import postgres_tool

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(600)]

AWARD = """
from django.utils import timezone
from gamify.points.services import Change, award
from participants.actors import ActorKind, acting_as, actor_of
from participants.models import Tenant
award(tenant=Tenant.objects.live().get(slug="acme"), change=Change("ada", 250), now=timezone.now())
"""


class Database:
    """A database, the one that its backups are restored into, and the environment of both."""

    def __init__(self, source: str, target: str, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._source, self._target = source, target
        self._environment = {"PATH": os.environ["PATH"], "GAMIFY_VAR": str(folder), **environment}

    def run(self, *arguments: str, is_target: bool = False) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**self._environment, "DATABASE_URL": self._target if is_target else self._source},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def succeed(self, *arguments: str, is_target: bool = False) -> str:
        ran = self.run(*arguments, is_target=is_target)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.deployment)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        yield Database(f"sqlite:///{tmp_path}/source.sqlite3", f"sqlite:///{tmp_path}/target.sqlite3", tmp_path)
        return
    path = f"{Path(postgres_tool('pg_dump')).parent}{os.pathsep}{os.environ['PATH']}"
    with deployment(tmp_path) as installed, empty_database(os.environ["DATABASE_URL"]) as target:
        yield Database(installed.environment["DATABASE_URL"], target, tmp_path, PATH=path)


def test_what_was_written_before_a_backup_is_there_after_the_restore(database: Database) -> None:
    backup = str(database.folder / "backup")
    database.succeed("migrate", "--noinput", "--verbosity", "0")
    database.succeed("create_tenant", "acme")
    database.succeed("shell", "--no-imports", "--command", AWARD)

    written = report(database.succeed("backup", backup, "--json"))
    database.succeed("create_tenant", "later")
    restored = report(database.succeed("restore", backup, "--json", is_target=True))
    database.succeed("migrate", "--noinput", "--verbosity", "0", is_target=True)
    audited = report(database.succeed("verify_ledger", "--json", is_target=True))

    assert restored["rows"] == written["rows"] > 10
    assert audited["tenants"] == 2
    assert audited["rows"] > 1
    assert database.run("set_tenant_status", "later", "--enable", is_target=True).returncode == 1
    again = database.run("restore", backup, is_target=True)
    assert (again.returncode, "The database is not empty" in again.stderr) == (1, True)
    assert not [path for path in Path(backup).iterdir() if path.stat().st_mode & 0o077 and path.name != "manifest.json"]


def report(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_backup_that_was_changed_or_whose_rows_differ_is_refused(database: Database) -> None:
    folder = database.folder / "backup"
    database.succeed("migrate", "--noinput", "--verbosity", "0")
    database.succeed("backup", str(folder))
    assert "is not empty" in database.run("backup", str(folder)).stderr

    manifest = json.loads((folder / "manifest.json").read_text())
    counted = {**manifest, "rows": {**manifest["rows"], "participants_tenant": 7}}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "sha256": "0"}))
    assert "SHA-256" in database.run("restore", str(folder), is_target=True).stderr
    (folder / "manifest.json").write_text(json.dumps(counted))
    assert (
        "differs from the manifest in participants_tenant"
        in database.run("restore", str(folder), is_target=True).stderr
    )
    (folder / "manifest.json").unlink()
    assert "no manifest.json that can be read" in database.run("restore", str(folder), is_target=True).stderr
