"""The commands of compose.yaml, step by step: prepare, serve, work, stop."""

import http.client
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import HOST, Deployment, commands, deployment
from tests.processes import until

pytestmark = pytest.mark.deployment

BEHIND_TLS = {"X-Forwarded-Proto": "https"}
HEALTHCHECK = ["python", "scripts/healthcheck.py"]
SEND_TASK = "import django; django.setup(); from gamify_project.tasks import clear_expired_sessions as t; t.delay()"
WAKE_UP = (
    "import django; django.setup(); from gamify.webhooks.services.waking import wake_up_sender; wake_up_sender.send()"
)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployment(tmp_path_factory.mktemp("deployment"), has_owner=True) as installed:
        migrated = installed.run(commands()["migrate"])
        assert migrated.returncode == 0, migrated.stderr
        collected = installed.run(["python", "manage.py", "collectstatic", "--noinput"])
        assert collected.returncode == 0, collected.stderr
        yield installed


def ask(
    installed: Deployment, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] = BEHIND_TLS
) -> tuple[int, Any]:
    text = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection("127.0.0.1", installed.port, timeout=60)) as client:
        client.request(method, path, text, {"Host": HOST, "Content-Type": "application/json", **headers})
        answer = client.getresponse()
        read = answer.read()
    return answer.status, json.loads(read) if answer.headers["Content-Type"] == "application/json" else answer.headers


def check_lines_are_json(installed: Deployment, name: str) -> None:
    """Raises AssertionError for a line that is no JSON object with a time, a level and an event."""
    lines = (installed.folder / f"{name}.log").read_text().splitlines()
    assert lines
    for line in lines:
        assert {"timestamp", "level", "logger", "event"} <= json.loads(line).keys(), line


def test_production_passes_djangos_deployment_check(installed: Deployment) -> None:
    checked = installed.run(["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"])

    assert checked.returncode == 0, checked.stderr
    assert "no issues (0 silenced)" in checked.stdout


def test_static_files_are_collected_under_names_of_their_content(installed: Deployment) -> None:
    manifest = json.loads((installed.folder / "static/staticfiles.json").read_text())

    assert len(manifest["paths"]) > 100
    assert all((installed.folder / "static" / path).exists() for path in manifest["paths"].values())


def test_the_web_server_serves_behind_a_proxy_and_stops_on_a_signal(installed: Deployment) -> None:
    created = installed.run(["python", "manage.py", "create_tenant", "acme", "--name", "Acme", "--json"])
    assert created.returncode == 0, created.stderr
    key = json.loads(installed.run(["python", "manage.py", "create_api_key", "--tenant", "acme", "--json"]).stdout)
    award = {"participant_id": "user_123", "amount": 250}

    with installed.running("web", until_it_says="Listening at") as web:
        until(lambda: installed.run(HEALTHCHECK).returncode == 0, what="the container is healthy")
        ready = ask(installed, "GET", "/ready", headers={})
        awarded = ask(
            installed, "POST", "/api/v1/gamify/points/award", award, headers={**BEHIND_TLS, "X-API-Key": key["key"]}
        )
        unencrypted = ask(installed, "GET", "/console/login/", headers={})
        console = ask(installed, "GET", "/console/login/")

    checks = dict.fromkeys(("database", "cache", "broker", "migrations"), "ok")
    assert ready == (HTTPStatus.OK, {"status": "ok", "checks": checks})
    assert awarded[0] == HTTPStatus.OK
    assert awarded[1]["new_balance"] == 250
    assert unencrypted[0] == HTTPStatus.MOVED_PERMANENTLY
    assert unencrypted[1]["Location"] == f"https://{HOST}/console/login/"
    assert console[0] == HTTPStatus.OK
    assert "max-age" in console[1]["Strict-Transport-Security"]
    assert web.returncode == 0
    check_lines_are_json(installed, "web")


def test_the_worker_runs_tasks_and_stops_on_a_signal(installed: Deployment) -> None:
    with installed.running("worker", until_it_says="ready.") as worker:
        sent = installed.run(["python", "-c", SEND_TASK], DJANGO_SETTINGS_MODULE="gamify_project.settings")
        assert sent.returncode == 0, sent.stderr
        until(lambda: "succeeded" in (installed.folder / "worker.log").read_text(), what="the task succeeded")

    assert worker.returncode == 0
    check_lines_are_json(installed, "worker")


def test_the_deliveries_worker_delivers_and_stops_on_a_signal(installed: Deployment) -> None:
    with installed.running("deliveries", until_it_says="ready.") as worker:
        sent = installed.run(["python", "-c", WAKE_UP], DJANGO_SETTINGS_MODULE="gamify_project.settings")
        assert sent.returncode == 0, sent.stderr
        until(lambda: "succeeded" in (installed.folder / "deliveries.log").read_text(), what="the task succeeded")

    assert worker.returncode == 0
    check_lines_are_json(installed, "deliveries")


def test_beat_stores_its_schedule_in_the_volume_and_stops_on_a_signal(installed: Deployment) -> None:
    with installed.running("beat", until_it_says="beat: Starting") as beat:
        volume = Path(installed.environment["GAMIFY_VAR"])
        until(lambda: any(volume.glob("beat*")), what="there is a schedule")

    assert beat.returncode == 0
    check_lines_are_json(installed, "beat")


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY: production needs its own key"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY: production needs its own key"),
        ({"DEBUG": "1"}, "DEBUG must be off in production"),
        (
            {"ENCRYPTION_KEYS": f"{'x' * 32},{'y' * 31}"},
            "ENCRYPTION_KEYS: in production, each key needs at least 32 random",
        ),
    ],
)
def test_production_refuses_to_start_unsafely(installed: Deployment, wrong: dict[str, str], problem: str) -> None:
    refused: subprocess.CompletedProcess[str] = installed.run(commands()["migrate"], **wrong)

    assert refused.returncode == 1
    assert problem in refused.stderr


def test_the_owner_and_the_application_must_be_two_roles_of_one_database(installed: Deployment) -> None:
    owner = installed.environment["DATABASE_URL"]
    for wrong in (owner, f"{owner}_of_others", "sqlite:////tmp/owner.sqlite3"):
        refused = installed.run(commands()["migrate"], DATABASE_OWNER_URL=wrong)

        assert refused.returncode == 1
        assert "must name two different roles of one PostgreSQL database" in refused.stderr
