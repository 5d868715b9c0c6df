"""A rolling upgrade: the code before the newest migration, as it is in git, serves writes on the schema of today."""

import http.client
import json
import subprocess
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.deployment import HOST, ROOT, Deployment, commands, deployment

pytestmark = pytest.mark.deployment

# Pythons 3.11 before 3.11.4, such as Debian 12's, know no filter; later ones warn without one.
SAFELY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
MIGRATIONS = ":(glob)**/migrations/0*.py"
CLIENTS = 4
PARTICIPANTS = 10
"""Of each client."""

DEFINITIONS = {
    "tiers": {"code": "gold", "name": "Gold", "level": 1, "criteria_config": {"min_points": 100}},
    "badges": {"code": "first", "name": "First", "criteria": {"metric": "total_earned", "min": 50}},
    "streaks": {"code": "daily", "name": "Daily", "event_types": ["login"]},
    "leaderboards": {"code": "top", "name": "Top", "metric": "points_earned", "time_window": "monthly"},
    "boosts": {
        "code": "double",
        "name": "Double",
        "multiplier": 2,
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2036-01-01T00:00:00Z",
    },
    "challenges": {
        "code": "quest",
        "name": "Quest",
        "duration_type": "perpetual",
        "objectives": [
            {"code": "in", "label": "Log in", "event_types": ["login"], "condition": {"type": "count", "min": 1}}
        ],
        "completion_grants": [{"type": "points", "amount": 5}],
    },
    "rules": {
        "code": "welcome",
        "name": "Welcome",
        "when": {"event_types": ["login"]},
        "then": [{"type": "points", "amount": 1}],
        "limits": {"per_day": 3},
    },
    "webhooks": {"url": "https://192.0.2.1/hook", "event_types": ["points.*"]},
}
REWARD = {"name": "Coupon", "type": "coupon", "points_cost": 5}


@pytest.fixture(scope="module")
def previous_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the code of the commit before the one that added the newest migration."""
    newest = git("log", "-1", "--diff-filter=A", "--format=%H", "--", MIGRATIONS).decode().strip()
    if not newest or not git("rev-parse", "--verify", "--quiet", f"{newest}^"):
        pytest.skip("There is no git history here, so the code before the newest migration is unknown.")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=BytesIO(git("archive", "--format=tar", f"{newest}^"))) as archive:
        archive.extractall(folder, **SAFELY)
    return folder


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """An installation with the schema of today."""
    with deployment(tmp_path_factory.mktemp("deployment"), has_owner=True) as installed:
        migrated = installed.run(commands()["migrate"])
        assert migrated.returncode == 0, migrated.stderr
        yield installed


@pytest.fixture(scope="module")
def previous(upgraded: Deployment, previous_code: Path) -> Iterator[Deployment]:
    """The previous code, which serves requests on the schema of today."""
    # It has no role of its own yet, and goes on as the owner until it is restarted.
    as_owner = {"DATABASE_URL": upgraded.environment["DATABASE_OWNER_URL"], "DATABASE_OWNER_URL": ""}
    environment = {**upgraded.environment, **as_owner, "WEBHOOK_NETWORKS": "192.0.2.0/24"}
    installed = replace(upgraded, code=previous_code, environment=environment)
    with installed.running("web", until_it_says="Listening at"):
        yield installed


def git(*arguments: str) -> bytes:
    """What git prints; nothing if there is no git or no history."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return b""


def test_no_write_of_the_previous_code_fails_on_the_new_schema(previous: Deployment, upgraded: Deployment) -> None:
    failures, number = write_everything(previous, "acme")

    assert failures == []
    assert number > CLIENTS * PARTICIPANTS * 5
    audit = upgraded.run(["python", "manage.py", "verify_ledger"])
    assert audit.returncode == 0, audit.stdout


def test_its_writes_fail_on_a_column_that_is_not_null_and_has_no_default(previous: Deployment) -> None:
    """The negative control: what Django's `AddField` did without `db_default`."""
    alter(previous, "ADD COLUMN unknown integer NOT NULL DEFAULT 0")
    alter(previous, "ALTER COLUMN unknown DROP DEFAULT")

    failures, _ = write_everything(previous, "globex")

    alter(previous, "DROP COLUMN unknown")
    assert len(failures) > CLIENTS * PARTICIPANTS


def alter(installed: Deployment, change: str) -> None:
    statement = f"ALTER TABLE participants_participant {change}"
    code = (
        f"import django; django.setup(); from django.db import connection; connection.cursor().execute({statement!r})"
    )
    altered = installed.run(["python", "-c", code], DJANGO_SETTINGS_MODULE="gamify_project.settings")
    assert altered.returncode == 0, altered.stderr


# --- the writes ---------------------------------------------------------------------------------------------------------


def write_everything(installed: Deployment, slug: str) -> tuple[list[str], int]:
    """Create a tenant with definitions of every kind, and write about participants from several clients at once.

    Returns the writes that were refused, and the number of all writes.
    """
    created = installed.run(["python", "manage.py", "create_tenant", slug])
    assert created.returncode == 0, created.stderr
    writer = Writer(installed, new_key(installed, slug))
    for kind, body in DEFINITIONS.items():
        writer.post(f"admin/{kind}", body)
    reward = writer.post("admin/rewards", REWARD)["id"]
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda client: write_about_participants(writer, client, reward), range(CLIENTS)))
    return writer.failures, writer.number


def new_key(installed: Deployment, slug: str) -> str:
    created = installed.run(["python", "manage.py", "create_api_key", "--tenant", slug, "--scope", "admin", "--json"])
    assert created.returncode == 0, created.stderr
    key: str = json.loads(created.stdout)["key"]
    return key


def write_about_participants(writer: "Writer", client: int, reward: str) -> None:
    for number in range(PARTICIPANTS):
        participant = {"participant_id": f"user_{client}_{number}"}
        writer.post("participants", participant)
        writer.post("points/award", {**participant, "amount": 100})
        writer.post("points/deduct", {**participant, "amount": 1})
        writer.post(
            "points/award-batch",
            {"awards": [{**participant, "amount": 1}, {"participant_id": f"{client}", "amount": 1}]},
        )
        writer.post("events", {**participant, "event_name": "login", "properties": {"device": "phone"}})
        writer.post("streaks/record", {**participant, "streak_code": "daily"})
        writer.post(f"rewards/{reward}/claim", participant)


class Writer:
    """Sends writes, and collects those that were refused."""

    def __init__(self, installed: Deployment, key: str) -> None:
        self.port, self.key = installed.port, key
        self.failures: list[str] = []
        self.number = 0

    def post(self, path: str, body: Any) -> Any:
        headers = {
            "Host": HOST,
            "Content-Type": "application/json",
            "X-Forwarded-Proto": "https",
            "X-API-Key": self.key,
        }
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as client:
            client.request("POST", f"/api/v1/gamify/{path}", json.dumps(body), headers)
            answer = client.getresponse()
            text = answer.read().decode()
        self.number += 1
        if answer.status >= 400:
            self.failures.append(f"{path}: {answer.status} {text}")
        return json.loads(text)
