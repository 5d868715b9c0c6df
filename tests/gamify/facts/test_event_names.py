"""An event name with a comma is refused wherever one is taken: definitions list names separated by commas."""

import io
import json

import pytest
from django.core.management import call_command

from gamify.facts.models import Event
from tests.client import refused_fields

NAME = "buy,refund"
WINDOW = {"type": "calendar", "period": "daily"}
POINTS = [{"type": "points", "amount": 1}]
EVENT = {"participant_id": "ada", "event_name": NAME}
NAMED = {"code": "x", "name": "X"}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/events", EVENT, "event_name"),
        ("/admin/rules/simulate", {"event": {"event_name": NAME}}, "event.event_name"),
        ("/admin/rules", {**NAMED, "when": {"event_types": ["a", NAME]}, "then": POINTS}, "when.event_types.1"),
        ("/admin/badges", {**NAMED, "criteria": {"metric": "event_count", "event_name": NAME, "min": 1}}, "criteria.event_name"),
        ("/admin/leaderboards", {**NAMED, "metric": "event_count", "selector": {"event_name": NAME}}, "selector.event_name"),
        (
            "/admin/challenges",
            {**NAMED, "objectives": [{"code": "a", "label": "A", "event_types": [NAME]}]},
            "objectives.0.event_types.0",
        ),
    ],
)  # fmt: skip
def test_the_gamify_dialect_refuses_it(admin_api, nothing_written, path, body, field):
    with nothing_written():
        answer = admin_api.post(path, body)

    assert refused_fields(answer) == [field]
    assert "comma" in answer.json()["detail"]


def test_a_batch_refuses_it(api, nothing_written):
    with nothing_written():
        answer = api.post("/events/batch", {"events": [{**EVENT, "event_name": "buy"}, EVENT]})

    assert (answer.status_code, answer.json()["code"]) == (422, "unprocessable_entity")
    assert [error["field"] for error in answer.json()["errors"]] == ["events.1.event_name"]


def test_the_phoenix_dialect_refuses_it(admin_api, nothing_written):
    admin_api.base = "/v1"

    with nothing_written():
        answer = admin_api.post(
            "/tenants/acme/streaks", {"name": "X", "config": {"event_types": [NAME], "window": WINDOW}}
        )

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "config: event_types.0 must not contain commas"


def test_a_file_with_such_an_event_has_a_bad_line(tenant, tmp_path):
    lines = [{**EVENT, "event_name": name, "timestamp": "2024-03-01T12:00:00Z"} for name in (NAME, "buy")]
    path = tmp_path / "events.ndjson"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    out, err = io.StringIO(), io.StringIO()

    call_command("backfill_events", str(path), tenant=tenant.slug, stdout=out, stderr=err)

    assert [event.name for event in Event.objects.all()] == ["buy"]
    assert "event_name: Must not contain a comma" in out.getvalue() + err.getvalue()


def test_a_streak_of_the_gamify_dialect_takes_several_names_separated_by_commas(admin_api, api):
    admin_api.post("/admin/streaks", {**NAMED, "fact_type": NAME})

    api.post("/events", {**EVENT, "event_name": "refund"})

    assert [each["current_count"] for each in api.get("/participants/ada/streaks").json()["streaks"]] == [1]
