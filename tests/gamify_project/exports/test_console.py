"""Exports in the console: buttons on lists, the form, the list of exports, and the file."""

import pytest

from gamify_project.exports.models import Export
from participants.api.exporting import export_kinds
from tests.console import Console, errors_of, staff, text_of, trail
from tests.gamify_project.exports.world import ME, create, csv_rows, plant, run

LISTS = {
    "participants_participant": ["participants"],
    "facts_event": ["events"],
    "points_ledgerentry": ["ledger", "expiring_credits"],
    "badges_badge": ["badges"],
    "streaks_streak": ["streaks"],
    "leaderboards_leaderboard": ["leaderboard"],
    "rewards_claim": ["claims"],
    "rewards_rewardcode": ["codes"],
    "participants_configurationchange": ["changes"],
}


@pytest.fixture
def console(tenant):
    return Console(tenant)


@pytest.mark.parametrize(("page", "kinds"), LISTS.items())
def test_lists_offer_their_exports(console, page, kinds):
    text = text_of(console.get(f"{page}_changelist"))

    assert all(f"/console/exports/new/{kind}/" in text for kind in kinds)


def test_every_kind_is_offered_by_a_list():
    assert sorted(kind for kinds in LISTS.values() for kind in kinds) == sorted(export_kinds)


def test_the_button_takes_the_filters_of_the_list_along_and_names_those_that_it_cannot_take(console):
    query = {"q": " ada ", "type__exact": "award", "created_at_from": "2026-11-01", "created_at_to": "2026-11-02"}
    ledger = text_of(console.get("points_ledgerentry_changelist", **query))
    people = text_of(console.get("participants_participant_changelist", q="ada", is_active__exact="1"))

    since, until = "since=2026-11-01T00%3A00%3A00", "until=2026-11-03T00%3A00%3A00"
    assert f"/new/ledger/?participant_id=ada&type=award&{since}&{until}" in ledger
    assert "/new/participants/?is_active=true&left_out=q" in people
    assert "more rows" in text_of(console.get("export_new", "participants", left_out="q"))


def test_an_export_from_the_form_is_built_and_its_file_fetched(console, tenant):
    plant(tenant)
    form = {"format": "csv", "bom": "on", "participant_id": ME, "type": "award", "since": "2026-01-01T00:00:00"}

    answer = console.post("export_new", "ledger", **form)
    run()

    assert answer.status_code == 302
    export = Export.objects.get()
    assert export.filters == {"participant_id": ME, "type": "award", "since": "2026-01-01T00:00:00Z"}
    assert (export.has_bom, export.actor_label) == (True, "ops")
    listed = text_of(console.get("exports_export_changelist"))
    assert f"/console/exports/{export.pk}/file/" in listed
    file = console.get("exports_export_file", export.pk)
    rows = csv_rows(b"".join(file.streaming_content).removeprefix(b"\xef\xbb\xbf"))
    assert {row["participant_id"] for row in rows} == {ME}
    assert file["Content-Disposition"].startswith('attachment; filename="ledger-')
    assert [message for _, _, message in trail()][-2:] == ["Created the export.", "Fetched the file."]


@pytest.mark.parametrize(
    ("kind", "data", "filters"),
    [
        ("participants", {"is_active": "true", "tier": "true"}, {"is_active": True, "tier": "true"}),
        ("participants", {"is_active": "false"}, {"is_active": False}),
        ("participants", {"is_active": "", "participant_id": f" {ME} "}, {"participant_id": ME}),
        ("codes", {"is_free": "true"}, {"is_free": True}),
        ("events", {"event_name": "false", "participant_id": "  "}, {"event_name": "false"}),
    ],
)
def test_only_yes_and_no_of_a_choice_become_booleans_and_texts_are_stripped(console, kind, data, filters):
    assert console.post("export_new", kind, format="csv", **data).status_code == 302

    assert Export.objects.get().filters == filters


@pytest.mark.parametrize("answer", ["yes", "1"])
def test_another_answer_than_yes_or_no_is_refused(console, answer):
    assert list(errors_of(console.post("export_new", "codes", format="csv", is_free=answer))) == ["is_free"]


@pytest.mark.parametrize(
    ("kind", "data", "field"),
    [
        ("badges", {"badge_code": "none"}, "badge_code"),
        ("ledger", {"since": "2026-02-02T00:00:00", "until": "2026-02-01T00:00:00"}, "until"),
        ("ledger", {"format": "ndjson", "bom": "on"}, "bom"),
        ("leaderboard", {"code": "none", "period": "daily", "period_key": "2026-01-01"}, "code"),
    ],
)
def test_a_wrong_filter_is_shown_on_its_field(console, kind, data, field):
    answer = console.post("export_new", kind, **{"format": "csv"} | data)

    assert list(errors_of(answer)) == [field]
    assert not Export.objects.exists()


def test_staff_export_and_fetch_only_what_they_may_view(tenant):
    exporter = plant(tenant)
    about = create(exporter, "codes")
    run()
    clerk = Console(tenant, user=staff("exports.add_export", "exports.view_export", "rewards.view_rewardcode"))

    assert clerk.get("export_new", "codes").status_code == 403
    assert clerk.post("export_new", "codes", format="csv").status_code == 403
    assert clerk.get("exports_export_file", about["id"]).status_code == 403
    assert "/exports/new/" not in text_of(clerk.get("rewards_rewardcode_changelist"))


def test_the_file_of_another_tenant_is_not_found(console, other_tenant):
    about = create(plant(other_tenant), "ledger")
    run()

    answer = console.get("exports_export_file", about["id"])

    assert answer.status_code == 404
