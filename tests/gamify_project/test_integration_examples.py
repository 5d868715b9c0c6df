"""The specification's Quick Start and its two integration examples, run as they stand there (tests/examples, whose
indentation alone is ours) but for address and key, with a stand-in for the app around them."""

import argparse
import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.utils import timezone

from gamify.tiers.models import Tier
from gamify_project import welcome
from gamify_project.quickstart import reset_quickstart
from participants.selectors import tenant_by_slug
from participants.services.definitions import create_definition
from streaks.models import ParticipantStreak
from tests.binaries import node
from tests.client import like
from tests.factories import raw_key

EXAMPLES = Path(__file__).parents[1] / "examples"
SPEC_BASE = "https://api.bricqs.ai"
SPEC_KEY = "bq_live_your_key"
CALL_AND_ANSWER = re.compile(r"(curl .*?)\n# Response\n(\{.*?\n\})(?=curl|\n*\Z)", re.DOTALL)
VARYING = ("transaction_id", "earned_at")

JAVASCRIPT_APP = """
let handler;
const app = { post: (path, given) => { handler = given; } };
const pushed = [];
const sendPushNotification = async (userId, text) => { pushed.push([userId, text]); };
%s
const [, , body] = process.argv;
await handler({ body: JSON.parse(body) }, { json: (answer) => console.log(JSON.stringify({ answer, pushed })) });
"""

Purchase = Callable[[str, str, float], Any]


@pytest.fixture
def key(transactional_db: None) -> str:
    return raw_key(reset_quickstart(now=timezone.now()))


@pytest.fixture
def silver(key: str) -> None:
    """A tier above bronze, from 100 points."""
    data = {"code": "silver", "name": "Silver", "level": 2, "criteria_config": {"min_points": 100}}
    create_definition(Tier, noun="tier", tenant=tenant_by_slug("quickstart"), data=data, now=timezone.now())


def at_home(text: str, base: str, key: str = "") -> str:
    """Return the text of the specification with the address and key of this test."""
    assert SPEC_BASE in text
    return text.replace(SPEC_BASE, base).replace(SPEC_KEY, key)


def quick_start() -> list[tuple[str, Any]]:
    """Return each call with its printed answer, in which varying values match anything."""
    text = (EXAMPLES / "quick_start.txt").read_text()
    found = [(call, json.loads(answer)) for call, answer in CALL_AND_ANSWER.findall(text)]
    assert len(found) == text.count("curl ") == 4
    return [(call, answer | {name: ... for name in VARYING if name in answer}) for call, answer in found]


def send_with_curl(call: str) -> str:
    options = "--silent --show-error --fail-with-body"
    return subprocess.run(["bash", "-c", f"{call} {options}"], capture_output=True, text=True, check=True).stdout


def send_without_curl(call: str) -> str:
    """Send the request that a curl command line describes; a bare machine has no curl."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=["curl"])
    parser.add_argument("url")
    parser.add_argument("-X", dest="method", default="GET")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="body")
    asked = parser.parse_args(shlex.split(call.replace("\\\n", " ")))
    headers = dict(header.split(": ", 1) for header in asked.headers)
    return httpx.request(asked.method, asked.url, headers=headers, content=asked.body).raise_for_status().text


SENDERS = [send_with_curl, send_without_curl] if shutil.which("curl") else [send_without_curl]


@pytest.mark.parametrize("send", SENDERS)
def test_the_four_calls_of_the_quick_start_answer_as_printed(
    live_server: Any, key: str, send: Callable[[str], str]
) -> None:
    for call, printed in quick_start():
        answer = send(at_home(call, live_server.url, key))

        assert like(json.loads(answer), printed), answer


def test_the_banner_prints_those_four_calls(settings: Any, transactional_db: None, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    banner = welcome.prepare(host="127.0.0.1", port=8000, now=timezone.now())
    key = json.loads((tmp_path / "welcome.json").read_text())["quickstart"]
    pasted = re.findall(r"^curl .*?(?=\n\n)", banner, re.DOTALL | re.MULTILINE)

    asked = [at_home(call, "http://127.0.0.1:8000", key) for call, _ in quick_start()]

    assert list(map(words, pasted)) == list(map(words, asked))


def test_the_readme_shows_those_four_calls() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    shown = re.findall(r"^curl .*?(?=\n```)", readme, re.DOTALL | re.MULTILINE)

    asked = [at_home(call, "http://127.0.0.1:8000", "$KEY") for call, _ in quick_start()]

    assert list(map(words, shown)) == list(map(words, asked))


def words(call: str) -> list[Any]:
    """Return the arguments of a shell command; JSON is normalized."""
    return [json.loads(word) if word.startswith("{") else word for word in shlex.split(call.replace("\\\n", " "))]


# --- the integration examples -----------------------------------------------------------------------------------------


@pytest.fixture
def in_python(live_server: Any, key: str, monkeypatch: pytest.MonkeyPatch) -> Purchase:
    monkeypatch.setenv("BRICQS_API_KEY", key)
    app = SimpleNamespace(post=lambda path: lambda handler: handler)
    names: dict[str, Any] = {"os": os, "app": app, "Order": SimpleNamespace}
    exec(at_home((EXAMPLES / "integration.py.txt").read_text(), live_server.url), names)

    def complete(user: str, order: str, total: float) -> Any:
        return asyncio.run(names["complete_purchase"](SimpleNamespace(user_id=user, id=order, total=total)))

    return complete


@pytest.fixture
def in_javascript(live_server: Any, key: str, tmp_path: Path) -> Purchase:
    script = tmp_path / "example.mjs"
    script.write_text(JAVASCRIPT_APP % at_home((EXAMPLES / "integration.js.txt").read_text(), live_server.url))

    def complete(user: str, order: str, total: float) -> Any:
        body = json.dumps({"userId": user, "orderId": order, "amount": total})
        environment = os.environ | {"BRICQS_API_KEY": key}
        ran = subprocess.run([node(), script, body], env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return complete


def test_the_python_example(in_python: Purchase, silver: None) -> None:
    first = in_python("user_7", "ord_1", 49.99)
    second = in_python("user_7", "ord_2", 80.5)
    again = in_python("user_7", "ord_2", 80.5)

    assert first == {"points_earned": 49, "new_balance": 49, "tier_upgrade": None}
    upgrade = {"code": "silver", "name": "Silver", "level": 2, "previous_code": "bronze", "previous_level": 1}
    assert second == again == {"points_earned": 80, "new_balance": 129, "tier_upgrade": upgrade}
    assert ticked() == [("user_7", "daily_purchase", 1)]


def test_the_javascript_example(in_javascript: Purchase, silver: None) -> None:
    first = in_javascript("user_7", "ord_1", 49.99)
    second = in_javascript("user_7", "ord_2", 80.5)

    assert first == {"answer": {"points_earned": 49, "new_balance": 49, "tier_upgrade": None}, "pushed": []}
    assert second["answer"]["tier_upgrade"]["previous_code"] == "bronze"
    assert second["pushed"] == [["user_7", "Congratulations! You've reached Silver!"]]
    assert ticked() == [("user_7", "daily_purchase", 1)]


def ticked() -> list[tuple[str, str, int]]:
    """Return participant, streak and number of periods of the purchases."""
    rows = ParticipantStreak.objects.filter(streak__code="daily_purchase").select_related("participant", "streak")
    return [(row.participant.external_id, row.streak.code, sum(length for _, length in row.runs)) for row in rows]


def test_node_from_the_wheel_runs_without_an_installed_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)

    version = subprocess.run([node(), "--version"], capture_output=True, text=True, check=True).stdout

    assert int(version.removeprefix("v").split(".")[0]) >= 18
