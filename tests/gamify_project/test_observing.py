"""What is counted and logged about requests, and how their id reaches the workers."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import Client

from gamify_project import celery_app, observing
from gamify_project.celery import SweepTask
from gamify_project.process.output import Log
from participants import messages
from participants.actors import ActorKind, actor_of, current_actor, following_request
from participants.measuring import counted
from tests.client import Api

pytestmark = pytest.mark.django_db

BALANCE = "/participants/ada/points"
ROUTE = "api/v1/gamify/participants/<participant_id:participant_id>/points"


@pytest.fixture(params=["json", "console"])
def log_format(request: pytest.FixtureRequest, settings: Any) -> Iterator[str]:
    settings.LOG_REQUESTS, settings.LOG_FORMAT = True, request.param
    forget_lines()
    yield request.param
    forget_lines()


def forget_lines() -> None:
    """The cached parts of lines have the format that was set when they were made."""
    observing._of_kind.cache_clear()
    observing._caller_text.cache_clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if observing.__name__ in line]


def value(name: str, **labels: str) -> float:
    return counted.get_sample_value(name, labels) or 0.0


# --- the log --------------------------------------------------------------------------------------------------------


def test_every_request_is_one_line(api: Api, log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    api.get(BALANCE, headers={"X-Request-Id": "mine"})

    [line] = lines(capsys)
    if log_format == "json":
        found = json.loads(line)
        assert found.pop("timestamp").endswith("Z")
        assert found.pop("milliseconds") > 0
        key = found.pop("key")
        assert api.key
        assert api.key.startswith(key)
        assert len(key) < 20
        assert found == {
            "level": "info", "logger": "gamify_project.observing", "event": "request", "dialect": "gamify", "method": "GET",
            "route": found["route"], "status": 200, "tenant": "acme", "environment": "live", "request_id": "mine",
        }  # fmt: skip
        assert "ada" not in line
    else:
        assert "method=GET" in line
        assert "status=200" in line
        assert "tenant=acme" in line
        assert "request_id=mine" in line


@pytest.mark.parametrize("log_format", ["json"], indirect=True)
def test_a_request_without_a_key_or_a_route_has_a_line_too(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    Client().get("/nowhere")
    Client().post("/api/v1/gamify/points/award", content_type="application/json")

    found = [json.loads(line) for line in lines(capsys)]
    assert [(line["status"], line["dialect"]) for line in found] == [(404, "pages"), (401, "gamify")]
    assert all("tenant" not in line and line["request_id"] for line in found)


@pytest.mark.parametrize("log_format", ["json"], indirect=True)
def test_probes_are_logged_only_if_they_fail(
    log_format: str, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    settings.METRICS_NETWORKS = []
    Client().get("/health")
    Client().get("/metrics")

    assert [json.loads(line)["status"] for line in lines(capsys)] == [404]


def test_without_the_setting_nothing_is_logged(api: Api, capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.LOG_REQUESTS = False
    api.get(BALANCE)

    assert lines(capsys) == []


def test_lines_of_programs_and_of_the_supervisor_are_json_in_one_stream(capfd: pytest.CaptureFixture[str]) -> None:
    with open(1, "w", closefd=False) as out:
        log = Log(out)
        log.is_json = True
        log.line("web", '{"event": "a line of a program"}')
        log.line("worker", "Traceback (most recent call last):")
        log.plain("Gamify is running.\n  http://127.0.0.1:8000")

    found = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert found[0] == {"event": "a line of a program"}
    assert [(line["logger"], line["event"]) for line in found[1:]] == [
        ("worker", "Traceback (most recent call last):"),
        ("gamify", "Gamify is running.\n  http://127.0.0.1:8000"),
    ]


# --- the numbers ----------------------------------------------------------------------------------------------------


def test_requests_are_counted_by_dialect_route_method_and_status(api: Api) -> None:
    kinds = {"dialect": "gamify", "route": route_of(api, BALANCE)}
    before = value("gamify_requests_total", method="GET", status="200", **kinds)
    measured = value("gamify_request_seconds_count", **kinds)

    api.get(BALANCE)
    api.get(BALANCE)

    assert value("gamify_requests_total", method="GET", status="200", **kinds) == before + 2
    assert value("gamify_request_seconds_count", **kinds) == measured + 2


def route_of(api: Api, path: str) -> str:
    response: Any = api.get(path)
    return str(response.wsgi_request.resolver_match.route)


def test_unknown_methods_and_paths_add_no_labels(api: Api) -> None:
    before = value("gamify_requests_total", dialect="gamify", route="none", method="other", status="405")
    observing.observe(
        method="BREW", path="/api/v1/gamify/x", route="none", status=405, seconds=0, request_id="", caller=None
    )

    assert value("gamify_requests_total", dialect="gamify", route="none", method="other", status="405") == before + 1


def test_refusals_are_counted_by_code(api: Api) -> None:
    refused = {"dialect": "gamify", "code": "insufficient_points"}
    before = value("gamify_refusals_total", **refused)

    response = api.post("/points/deduct", {"participant_id": "ada", "amount": 5})

    assert response.json()["code"] == "insufficient_points"
    assert value("gamify_refusals_total", **refused) == before + 1


def test_units_of_work_are_counted(api: Api) -> None:
    before = value("gamify_units_of_work_total")

    api.post("/points/award", {"participant_id": "ada", "amount": 5})

    assert value("gamify_units_of_work_total") == before + 1


# --- the request id ---------------------------------------------------------------------------------------------------


def test_a_message_carries_the_id_of_the_request_to_actor_and_log_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: dict[str, Any] = {}
    monkeypatch.setattr(messages.current_app, "send_task", lambda name, **options: sent.update(options))
    with following_request("mine"):
        messages.send("a.task", queue="default")
    seen = {}

    class Seeing(SweepTask):
        name = "a.task"
        request = type("Request", (), {"headers": sent["headers"]})

        def run(self) -> None:
            seen.update(structlog.contextvars.get_contextvars(), actor=current_actor().request_id)

    task = Seeing()
    task.bind(celery_app)
    task()

    assert seen == {"request_id": "mine", "actor": "mine"}
    assert actor_of(ActorKind.COMMAND, "x", "x").request_id is None
    assert "request_id" not in structlog.contextvars.get_contextvars()
