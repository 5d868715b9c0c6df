"""A tenant with a participant who is in every kind of export, by a canary id, and how tests run exports."""

import csv
import io
import json
from datetime import timedelta

import time_machine
from django.utils import timezone

from gamify.leaderboards import tasks as board_tasks
from gamify_project.exports.tasks import build
from participants.api.exporting import export_kinds
from tests.client import Api
from tests.factories import made_key

ME, OTHER = "canary-ada", "bob"
BOARD = "spent"


def done(answer):
    assert answer.status_code < 300, answer.content
    return answer.json()


def plant(tenant):
    """Write rows of two participants for every kind of export. Returns a key that may do everything."""
    api = Api(made_key(tenant, "admin", "codes", name="exporter").key)
    done(api.post("/admin/badges", {"code": "fan", "name": "Fan"}))
    done(api.post("/admin/streaks", {"code": "daily", "name": "Daily", "fact_type": "buy"}))
    done(api.post("/admin/leaderboards", {"code": BOARD, "name": "Spent", "metric": "points_earned"}))
    mug = done(api.post("/admin/rewards", {"name": "Mug", "type": "coupon"}))["id"]
    done(api.post(f"/admin/rewards/{mug}/codes", {"codes": ["=CODE-1", "CODE-2", "CODE-3"]}))
    board_tasks.build_waiting()
    with time_machine.travel(timezone.now() - timedelta(days=2), tick=True):
        for number, name in enumerate((ME, OTHER), start=1):
            plant_participant(api, name, mug, points=100 * number)
    return api


def plant_participant(api, name, reward, *, points):
    who = {"participant_id": name}
    done(api.post("/participants", who | {"display_name": f"={name}", "attributes": {"city": "Köln"}}))
    done(api.post("/points/award", who | {"amount": points, "reason": f"-{name}"}))
    done(api.post("/points/award", who | {"amount": 7, "expires_in_days": 30}))
    done(api.post("/points/deduct", who | {"amount": 3}))
    done(api.post("/events", who | {"event_name": "buy", "properties": {"sku": "a,b", "total": 1.5}}))
    done(api.post("/badges/award", who | {"badge_code": "fan", "metadata": {"why": name}}))
    done(api.post(f"/rewards/{reward}/claim", who))


def yesterday_but_one():
    return (timezone.now() - timedelta(days=2)).date().isoformat()


def filters_for(kind):
    """The filters that this kind requires."""
    return {"code": BOARD, "period": "daily", "period_key": yesterday_but_one()} if kind == "leaderboard" else {}


def kinds():
    return sorted(export_kinds)


def create(api, kind, **body):
    return done(api.post("/admin/exports", {"kind": kind, "filters": filters_for(kind), **body}))


def run():
    """What a worker does when it is woken up."""
    build()


def exported(api, kind, **body):
    """Create and build an export. Returns what the API says about it, and the file."""
    export = create(api, kind, **body)
    run()
    return fetched(api, export)


def fetched(api, export):
    found = done(api.get(f"/admin/exports/{export['id']}"))
    assert found["status"] == "done", found
    answer = api.get(found["url"].removeprefix("/api/v1/gamify"))
    assert answer.status_code == 200
    return found, b"".join(answer.streaming_content)


def csv_rows(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"), newline="")))


def json_rows(data):
    return [json.loads(line) for line in data.decode().splitlines()]
