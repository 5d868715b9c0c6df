"""Exports by the API: what is asked for, what the file contains, and who may have it."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db.models import Sum
from django.utils import timezone

from gamify.points.models import LedgerEntry
from gamify_project.exports import building
from gamify_project.exports.formats import defused
from gamify_project.exports.models import Export, ExportPart
from gamify_project.exports.tasks import build
from participants.api.exporting import export_kinds
from participants.api.fields import ParticipantIdField
from participants.models import ConfigurationChange, Participant
from tests.client import Api, refusal, refused_fields
from tests.factories import raw_key
from tests.gamify_project.exports.world import (
    ME,
    OTHER,
    create,
    csv_rows,
    exported,
    fetched,
    filters_for,
    json_rows,
    kinds,
    plant,
    run,
)


@pytest.fixture
def exporter(tenant):
    return plant(tenant)


def test_an_export_is_accepted_and_says_what_it_will_be(tenant, admin_api):
    answer = admin_api.post("/admin/exports", {"kind": "ledger", "filters": {"type": "award"}, "format": "ndjson"})

    assert answer.status_code == 202
    body = answer.json()
    assert {
        name: body[name] for name in ("kind", "format", "filters", "status", "rows", "sha256", "url", "expires_at")
    } == {
        "kind": "ledger",
        "format": "ndjson",
        "filters": {"type": "award"},
        "status": "queued",
        "rows": 0,
        "sha256": None,
        "url": None,
        "expires_at": None,
    }
    assert body["actor"]["kind"] == "api_key"
    listed = admin_api.get("/admin/exports").json()
    assert listed == {"items": [body], "next_cursor": None}


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("format_", ["csv", "ndjson"])
def test_every_kind_exports_its_rows_with_its_columns_in_order(exporter, kind, format_):
    about, data = exported(exporter, kind, format=format_)

    rows = csv_rows(data) if format_ == "csv" else json_rows(data)
    assert rows, "the kind has no row in this world"
    assert all(list(row) == list(export_kinds[kind].columns) for row in rows)
    assert (about["rows"], about["size"], about["sha256"]) == (len(rows), len(data), hashlib.sha256(data).hexdigest())
    if "participant_id" in export_kinds[kind].columns:
        assert {row["participant_id"] for row in rows} == {ME, OTHER}


@pytest.mark.parametrize("kind", kinds())
def test_a_build_in_parts_of_one_page_gives_the_same_file_as_one_in_one_part(exporter, monkeypatch, kind):
    _, whole = exported(exporter, kind)
    monkeypatch.setattr(building, "PAGE_ROWS", 1)
    monkeypatch.setattr(building, "PART_ROWS", 1)

    asked = create(exporter, kind)
    Export.objects.filter(pk=asked["id"]).update(created_at=Export.objects.first().created_at)
    run()
    _, whole_again = fetched(exporter, asked)

    if kind != "changes":  # each export is a change
        assert whole_again == whole
    assert ExportPart.objects.filter(export_id=asked["id"]).count() > 1


def test_the_sums_of_the_ledger_file_are_those_of_the_ledger(tenant, exporter):
    about, data = exported(exporter, "ledger")

    rows = csv_rows(data)
    assert about["rows"] == LedgerEntry.objects.filter(tenant_id=tenant.pk).count()
    balances = Participant.objects.of(tenant).aggregate(total=Sum("balance"))["total"]
    assert sum(int(row["delta"]) for row in rows) == balances


def test_texts_that_look_like_formulas_are_defused_in_csv_and_numbers_stay_numbers(exporter):
    _, people = exported(exporter, "participants")
    _, ledger = exported(exporter, "ledger")
    _, codes = exported(exporter, "codes")

    assert {row["display_name"] for row in csv_rows(people)} == {f"'={ME}", f"'={OTHER}"}
    entries = csv_rows(ledger)
    assert "-3" in {row["delta"] for row in entries}
    assert {row["reason"] for row in entries if row["reason"]} == {f"'-{ME}", f"'-{OTHER}"}
    assert "'=CODE-1" in {row["code"] for row in csv_rows(codes)}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n"])
def test_every_start_of_a_formula_is_defused(start):
    assert defused(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["", "a=1", "1-1", "'=1", " =1", "<=>"])
def test_other_texts_stay_as_they_are(text):
    assert defused(text) == text


def test_ndjson_has_the_types_of_the_api(exporter):
    _, data = exported(exporter, "events", format="ndjson", filters={"participant_id": ME})

    [event] = json_rows(data)
    assert event["properties"] == {"sku": "a,b", "total": 1.5}
    assert event["reversed_at"] is None
    assert event["timestamp"].endswith("Z")


def test_a_csv_file_begins_with_a_byte_order_mark_on_request(exporter):
    _, data = exported(exporter, "ledger", bom=True)

    assert data.startswith(b"\xef\xbb\xbfid,participant_id,")


def test_the_board_has_ranks_and_the_claims_have_masked_codes(exporter):
    _, board = exported(exporter, "leaderboard")
    _, claims = exported(exporter, "claims")

    assert [(row["rank"], row["participant_id"], row["score"]) for row in csv_rows(board)] == [
        ("1", OTHER, "207"),
        ("2", ME, "107"),
    ]
    assert all("CODE" not in row["code"] for row in csv_rows(claims))


@pytest.mark.parametrize(
    ("kind", "filters", "count"),
    [
        ("ledger", {"type": "deduct"}, 2),
        ("ledger", {"participant_id": ME}, 3),
        ("ledger", {"since": "2199-01-01T00:00:00Z"}, 0),
        ("participants", {"is_active": False}, 0),
        ("events", {"event_name": "buy", "participant_id": OTHER}, 1),
        ("badges", {"badge_code": "fan"}, 2),
        ("streaks", {"streak_code": "daily"}, 2),
        ("claims", {"status": "claimed"}, 2),
        ("codes", {"is_free": True}, 1),
        ("expiring_credits", {"until": "2199-01-01T00:00:00Z"}, 2),
        ("changes", {"object_type": "badge"}, 1),
    ],
)
def test_filters_select_rows(exporter, kind, filters, count):
    about, _ = exported(exporter, kind, filters=filters)

    assert about["rows"] == count


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "everything"}, "kind"),
        ({"kind": "ledger", "format": "xlsx"}, "format"),
        ({"kind": "ledger", "format": "ndjson", "bom": True}, "bom"),
        ({"kind": "ledger", "filters": []}, "filters"),
        ({"kind": "ledger", "filters": {"tpye": "award"}}, "filters.tpye"),
        ({"kind": "ledger", "filters": {"type": "gift"}}, "filters.type"),
        ({"kind": "ledger", "filters": {"since": "yesterday"}}, "filters.since"),
        (
            {"kind": "ledger", "filters": {"since": "2026-02-02T00:00:00Z", "until": "2026-02-01T00:00:00Z"}},
            "filters.until",
        ),
        ({"kind": "ledger", "filters": {"participant_id": "a\x00b"}}, "filters.participant_id"),
        ({"kind": "badges", "filters": {"badge_code": "none"}}, "filters.badge_code"),
        ({"kind": "streaks", "filters": {"streak_code": "none"}}, "filters.streak_code"),
        ({"kind": "claims", "filters": {"reward_id": "0192f0c1-7a55-7b3e-9d43-2f6c1a9be001"}}, "filters.reward_id"),
        ({"kind": "leaderboard"}, "filters.code"),
        (
            {"kind": "leaderboard", "filters": {"code": "none", "period": "daily", "period_key": "2026-01-01"}},
            "filters.code",
        ),
    ],
)
def test_a_wrong_request_names_the_field_and_leaves_nothing(admin_api, body, field):
    answer = admin_api.post("/admin/exports", body)

    assert answer.status_code == 422
    assert field in refused_fields(answer)
    assert not Export.objects.exists()


@pytest.mark.parametrize("key", ["2026-W07", "2199-01-01"])
def test_a_board_whose_period_is_not_over_or_does_not_exist_is_refused(exporter, key):
    answer = exporter.post(
        "/admin/exports", {"kind": "leaderboard", "filters": filters_for("leaderboard") | {"period_key": key}}
    )

    assert (answer.status_code, refused_fields(answer)) == (422, ["filters.period_key"])


def test_a_key_without_the_admin_scope_may_not_export(api):
    assert api.post("/admin/exports", {"kind": "ledger"}).status_code == 403
    assert api.get("/admin/exports").status_code == 403


def test_codes_need_a_scope_of_their_own_to_be_exported_and_to_be_fetched(tenant, exporter, admin_api):
    about, _ = exported(exporter, "codes")

    for answer in (
        admin_api.post("/admin/exports", {"kind": "codes"}),
        admin_api.get(about["url"].removeprefix("/api/v1/gamify")),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (403, "API key requires 'codes' scope")


def test_another_tenant_does_not_see_the_export(exporter, other_tenant):
    about, _ = exported(exporter, "ledger")
    stranger = Api(raw_key(other_tenant, "admin", "codes"))

    assert refusal(stranger.get(f"/admin/exports/{about['id']}"))[:2] == (404, "export_not_found")
    assert stranger.get(f"/admin/exports/{about['id']}/file").status_code == 404
    assert stranger.get("/admin/exports").json()["items"] == []
    _, data = exported(stranger, "ledger")
    assert csv_rows(data) == []


def test_a_file_that_is_not_done_cannot_be_fetched(exporter):
    about = create(exporter, "ledger")

    answer = exporter.get(f"/admin/exports/{about['id']}/file")

    assert (answer.status_code, answer.json()["code"]) == (409, "export_not_ready")


def test_a_file_can_be_fetched_for_24_hours_and_is_then_deleted(exporter):
    about, _ = exported(exporter, "ledger")
    expires_at = Export.objects.get().expires_at
    assert timedelta(hours=23) < expires_at - timezone.now() <= timedelta(hours=24)

    with time_machine.travel(expires_at, tick=False):
        late = exporter.get(f"/admin/exports/{about['id']}/file")
        build()

    assert (late.status_code, late.json()["code"]) == (410, "export_expired")
    assert not Export.objects.exists()
    assert not ExportPart.objects.exists()


def test_a_tenant_has_only_so_many_unfinished_exports(admin_api, settings):
    settings.EXPORTS_RUNNING = 2
    create(admin_api, "ledger")
    create(admin_api, "events")

    answer = admin_api.post("/admin/exports", {"kind": "badges"})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_exports")
    run()
    create(admin_api, "badges")


@pytest.mark.parametrize(
    ("kind", "personal", "other"),
    [
        ("ledger", {"participant_id": ME}, {"type": "award"}),
        ("changes", {"code": ME}, {"object_type": "participant_export"}),
    ],
)
def test_the_change_log_says_who_exported_what_and_not_about_whom(exporter, kind, personal, other):
    create(exporter, kind, filters=personal | other)

    change = ConfigurationChange.objects.get(object_type="export")
    assert (change.code, change.actor.partition(":")[0]) == (kind, "api_key")
    assert change.changes["filters"]["after"] == dict.fromkeys(personal, "(hidden)") | other


@pytest.mark.parametrize("kind", kinds())
def test_every_filter_by_participant_is_declared_as_personal(kind):
    filters = export_kinds[kind].filters
    by_participant = {name for name, field in filters().fields.items() if isinstance(field, ParticipantIdField)}

    assert by_participant <= filters.personal <= set(filters().fields)


def test_rows_that_are_written_after_the_request_are_not_in_the_file(exporter):
    about = create(exporter, "ledger")
    with time_machine.travel(timezone.now() + timedelta(seconds=5), tick=False):
        exporter.post("/points/award", {"participant_id": ME, "amount": 1000})
    run()

    _, data = fetched(exporter, about)
    assert "1000" not in {row["delta"] for row in csv_rows(data)}


def test_the_contract_lists_the_filters_and_columns_of_every_kind_in_their_order():
    contract = Path("docs/contract.md").read_text()

    for name, kind in export_kinds.items():
        filters = ", ".join(f"`{each}`" for each in kind.filters().fields)
        assert f"| `{name}` | {filters} | {', '.join(kind.columns)} |" in contract


def test_the_list_has_pages(admin_api, settings):
    settings.EXPORTS_RUNNING = 9
    ids = [create(admin_api, "ledger")["id"] for _ in range(3)]

    first = admin_api.get("/admin/exports?limit=2").json()
    second = admin_api.get(f"/admin/exports?limit=2&cursor={first['next_cursor']}").json()

    assert [each["id"] for each in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None
