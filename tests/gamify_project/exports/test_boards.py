"""The export of a leaderboard: ranks over the pages, and a board that is filled again meanwhile."""

from contextlib import closing
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gamify_project.exports import building
from gamify_project.exports.building import build_in_parts
from tests.gamify_project.exports.world import ME, OTHER, create, csv_rows, done, exported, plant, run


@pytest.fixture
def exporter(tenant):
    api = plant(tenant)
    with time_machine.travel(timezone.now() - timedelta(days=2), tick=True):
        for name in ("carla", "dora"):
            done(api.post("/points/award", {"participant_id": name, "amount": 107}))
        done(api.post("/points/award", {"participant_id": "emil", "amount": 1}))
    return api


@pytest.mark.parametrize("rows", [1, 2, 3, 1000])
def test_ranks_are_the_same_wherever_pages_end(exporter, monkeypatch, rows):
    monkeypatch.setattr(building, "PAGE_ROWS", rows)

    _, data = exported(exporter, "leaderboard")

    ranks = {row["participant_id"]: int(row["rank"]) for row in csv_rows(data)}
    assert ranks == {OTHER: 1, ME: 2, "carla": 2, "dora": 2, "emil": 5}


def test_a_page_counts_with_the_ranges_and_not_the_scores(exporter, monkeypatch):
    monkeypatch.setattr(building, "PAGE_ROWS", 1)

    with CaptureQueriesContext(
        connection,
    ) as captured:
        exported(exporter, "leaderboard")

    counted = [each["sql"] for each in captured if "COUNT(*)" in each["sql"] and "leaderboards_score" in each["sql"]]
    assert [sql for sql in counted if "leaderboards_scorerange" not in sql] == []


def test_a_board_that_is_filled_again_during_its_export_makes_the_export_fail_and_not_lie(
    tenant, exporter, monkeypatch
):
    monkeypatch.setattr(building, "PAGE_ROWS", 1)
    monkeypatch.setattr(building, "PART_ROWS", 1)
    about = create(exporter, "leaderboard")
    with closing(build_in_parts(tenant=tenant, export_id=about["id"])) as steps:
        next(steps)
    call_command("rebuild_leaderboards", "--tenant", tenant.slug)

    run()

    found = exporter.get(f"/admin/exports/{about['id']}").json()
    assert found["status"] == "failed"
    assert "after the export was created" in found["problem"]
