"""All commands of the product have the same manner, and docs/commands.md names all of them.

Each exception names its reason. A new command fails here until it has the manner, or a reason.
"""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import call_command

from gamify_project.management.reference import Described, commands_page, described_commands
from participants.management import progress
from participants.management.progress import progress_bar
from participants.models import ApiKey, Tenant
from tests.deployment import ROOT
from tests.factories import made_key

COMMANDS = {command.name: command for command in described_commands()}
PRINTS_SOMETHING_ELSE = {
    "serve": "it runs until it is stopped",
    "migrate": "it is Django's command",
    "lint_migrations": "it prints a line for each fault",
    "database_roles": "it prints SQL",
    "export_programme": "it prints the programme",
    "list_commands": "it prints a page",
}
CHANGES_NOTHING = {
    *("serve", "list_commands", "lint_migrations", "lint_rules", "replay_rules", "impact", "listen"),
    *("export_programme", "export_tenant", "verify_ledger", "backup"),
}
WITHOUT_DRY_RUN = {
    "restore": "it refuses a database that is not empty",
    "create_api_key": "a key that is not stored says nothing",
    "create_hmac_secret": "a secret that is not stored says nothing",
    "database_roles": "without --apply it prints what it would do",
    "import_tenant": "it checks everything in one transaction, and restores nothing if anything differs",
    "migrate": "Django's --plan",
    "rebuild_figures": "it computes the same figures again",
    "rebuild_leaderboards": "it computes the same scores again",
    "seed_demo": "it only adds what is missing in the tenant demo",
}
every_command = pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)


@every_command
def test_a_command_and_its_arguments_have_sentences(command: Described) -> None:
    assert command.text.endswith(".")
    assert [option.name for option in command.options if not option.text.strip()] == []


@every_command
def test_a_command_about_a_tenant_can_be_about_its_sandbox(command: Described) -> None:
    assert not command.has("--tenant") or command.has("--sandbox") or command.name == "lint_rules"


@every_command
def test_a_command_prints_json_or_has_a_reason(command: Described) -> None:
    assert command.has("--json") != (command.name in PRINTS_SOMETHING_ELSE)


@every_command
def test_a_command_that_changes_something_has_a_dry_run_or_a_reason(command: Described) -> None:
    needs = command.name not in CHANGES_NOTHING and command.name not in WITHOUT_DRY_RUN
    assert command.has("--dry-run") == needs


def test_the_exceptions_are_commands() -> None:
    assert {*PRINTS_SOMETHING_ELSE, *CHANGES_NOTHING, *WITHOUT_DRY_RUN} <= COMMANDS.keys()


def test_the_page_of_commands_is_up_to_date() -> None:
    assert (ROOT / "docs" / "commands.md").read_text() == f"{commands_page()}\n", "run `make docs`"


@pytest.mark.django_db
def test_a_dry_run_reports_and_changes_nothing(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    key = made_key(tenant).row

    call_command("revoke_api_key", str(key.pk), dry_run=True)

    assert "revoked_at" in capsys.readouterr().out
    assert ApiKey.objects.get().revoked_at is None


# --- progress and Ctrl-C ----------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, *, json: bool) -> str:
    with progress_bar({"stderr": stream, "json": json}, total=20) as advance:
        advance(5)
        advance(15)
    return stream.getvalue()


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)

    assert "100%" in shown(Terminal(), json=False)
    assert shown(io.StringIO(), json=False) == "5 of 20\n20 of 20\n"
    assert shown(io.StringIO(), json=True) == shown(Terminal(), json=True) == ""


def test_a_line_comes_every_ten_seconds_only() -> None:
    assert shown(io.StringIO(), json=False) == ""


def test_ctrl_c_ends_a_command_with_one_line_and_its_exit_code(tmp_path: Path) -> None:
    waits = "import signal, sys, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\ndef main(argv): print('waiting', flush=True); time.sleep(60)\n"
    code = (
        f"{waits}import django.core.management as m; m.execute_from_command_line = main\n"
        "import manage; sys.argv = ['manage.py', 'verify_ledger']; manage.main()"
    )
    environment = {**os.environ, "GAMIFY_VAR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)

    assert process.returncode == 130
    assert errors == "\nverify_ledger: interrupted; what was committed stays\n"
