"""What an undo of a cause takes back, what it keeps, and why."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command

from gamify.badges.models import BadgeAward
from gamify.facts.models import Event
from gamify.points.models import LedgerEntry
from gamify.rules.models import Rule
from gamify_project.undo.models import Undo, UndoItem
from gamify_project.undo.running import run
from rewards.models import Claim, Reward
from tests.client import refusal, refused_fields
from tests.conftest import all_rows
from tests.console import Console
from tests.gamify_project.undo.worlds import World, balance, done, rows_of, standing

ADA = {"participant_id": "ada"}


@pytest.fixture
def world(tenant):
    return World(tenant)


def test_awards_and_deductions_are_reversed_newest_first(world):
    done(world.b.post("/points/award", ADA | {"amount": 5}))
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    done(world.a.post("/points/deduct", ADA | {"amount": 90}))

    report = world.undo()

    assert balance(world.b) == 5
    assert (report["status"], report["reversed"], report["kept"]) == ("done", 2, 0)
    assert report["by_type"] == {"points": {"waiting": 0, "reversed": 2, "kept": 0}}


def test_a_reversal_names_who_asked_for_it_and_the_reason(world):
    done(world.a.post("/points/award", ADA | {"amount": 100}))

    world.undo()

    entry = LedgerEntry.objects.get(type="reversal")
    assert entry.actor == f"api_key:{world.causes['operator']['id']}"
    assert (entry.request_id, entry.reason) == ("undo-1", "Leaked")


def test_points_that_another_key_spent_are_kept_with_the_reason(world):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    done(world.b.post("/points/deduct", ADA | {"amount": 70}))

    report = world.undo()

    assert balance(world.b) == 30
    assert world.kept(report["id"]) == [
        ("points", "ada", "100 points would be taken back, but the participant has only 30 left")
    ]


def test_an_event_is_reversed_with_what_rules_gave_and_reports_what_is_spent(world):
    done(world.a.post("/events", ADA | {"event_name": "buy"}))
    done(world.a.post("/events", ADA | {"event_name": "buy"}))
    done(world.b.post("/points/deduct", ADA | {"amount": 30}))

    report = world.undo()

    assert balance(world.b) == 0
    assert report["by_type"]["event"] == {"waiting": 0, "reversed": 2, "kept": 0}
    assert world.kept(report["id"]) == [
        ("points", "ada", "10 of these points were spent already"),
        ("points", "ada", "20 of these points were spent already"),
    ]
    assert not BadgeAward.objects.exists()


def test_what_definitions_gave_for_other_changes_is_taken_back_too(world):
    done(world.a.post("/badges/award", ADA | {"badge_code": "gift"}))
    assert balance(world.b) == 7

    report = world.undo()

    assert balance(world.b) == 0
    assert not BadgeAward.objects.exists()
    assert report["reversed"] == 2


def test_what_definitions_gave_for_another_keys_change_stays_even_in_the_same_request(world):
    headers = {"X-Request-Id": "shared"}
    done(world.a.post("/points/award", ADA | {"amount": 1}, headers=headers))
    done(world.b.post("/badges/award", ADA | {"badge_code": "gift"}, headers=headers))

    world.undo()

    assert balance(world.b) == 7
    assert BadgeAward.objects.exists()


def test_a_badge_earned_by_criteria_stays_if_the_rest_meets_them(world):
    for api in (world.a, world.b):
        for who in ("ada", "bob"):
            amount = 500 if (who, api) != ("bob", world.b) else 10
            done(api.post("/points/award", {"participant_id": who, "amount": amount}))

    report = world.undo()

    assert list(BadgeAward.objects.values_list("participant__external_id", "badge__code")) == [("ada", "rich")]
    assert world.kept(report["id"]) == [("badge", "ada", "What remains still meets the criteria of the badge")]


def test_a_badge_that_several_awards_earned_together_goes_with_them(world):
    for _ in range(3):
        done(world.a.post("/points/award", ADA | {"amount": 300}))

    world.undo()

    assert standing(world.tenant) == {}


def test_claims_are_cancelled_but_not_those_with_a_code_or_fulfilled(world):
    done(world.operator.post(f"/admin/rewards/{world.rewards['coupon']}/codes", {"codes": ["C1"]}))
    done(world.b.post("/points/award", ADA | {"amount": 100}))
    mug = f"/rewards/{world.rewards['mug']}/claim"
    open_, fulfilled = (done(world.a.post(mug, ADA | {"points_deduction": True})) for _ in range(2))
    done(world.b.post(f"/admin/claims/{fulfilled['claim_id']}/fulfil", {}))
    done(world.a.post(f"/rewards/{world.rewards['coupon']}/claim", ADA))

    report = world.undo()

    assert Claim.objects.get(pk=open_["claim_id"]).status == "cancelled"
    assert balance(world.b) == 90
    assert Reward.objects.get(code="mug").claimed == 1
    assert sorted(world.kept(report["id"])) == [
        ("claim", "ada", "It was fulfilled"),
        ("claim", "ada", "Its code was handed out, and may have been used"),
    ]


def test_recorded_ticks_enrolments_and_reversals_are_kept_and_reported(world):
    done(world.b.post("/points/award", ADA | {"amount": 10}))
    entry = LedgerEntry.objects.get()
    done(world.a.post("/streaks/record", ADA | {"streak_code": "daily"}))
    done(world.a.post(f"/admin/transactions/{entry.pk}/reverse", {"reason": "r"}))

    report = world.undo()

    assert [(type_name, reason) for type_name, _, reason in sorted(world.kept(report["id"]))] == [
        ("points", "An entry of type 'reversal' cannot be reversed"),
        (
            "streak.incremented",
            "A tick that was recorded without an event is stored only as a count, so it cannot be told from other ticks",
        ),
    ]


def test_ticks_of_an_event_are_not_reported_beside_the_event(world):
    done(world.a.post("/events", ADA | {"event_name": "visit"}))

    report = world.undo()

    assert report["by_type"] == {"event": {"waiting": 0, "reversed": 1, "kept": 0}}


def test_only_what_was_written_between_since_and_until_is_taken_back(world):
    for _ in range(3):
        done(world.a.post("/points/award", ADA | {"amount": 10}))
    written_at = datetime.fromtimestamp((LedgerEntry.objects.get(number=2).pk.int >> 80) / 1000, tz=UTC)

    world.undo(since=written_at.isoformat(), until=(written_at + timedelta(milliseconds=2)).isoformat())

    reversed_ids = LedgerEntry.objects.filter(type="reversal").values_list("reverses_id", flat=True)
    assert list(reversed_ids) == [LedgerEntry.objects.get(number=2).pk]


def test_a_dry_run_reports_the_same_and_leaves_no_trace(world):
    done(world.b.post("/points/award", ADA | {"amount": 5}))
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    done(world.a.post("/points/deduct", ADA | {"amount": 100}))
    done(world.a.post("/events", ADA | {"event_name": "buy"}))
    done(world.a.post("/badges/award", ADA | {"badge_code": "gift"}))
    before = {name: rows for name, rows in all_rows().items() if not name.startswith("undo.")}

    preview = world.undo(dry_run=True)

    assert {name: rows for name, rows in all_rows().items() if not name.startswith("undo.")} == before
    assert preview["dry_run"] is True
    real = world.undo()
    assert real["reversed"] == preview["reversed"] > 3
    assert real["by_type"] == preview["by_type"]
    assert world.kept(real["id"]) == world.kept(preview["id"])


def test_a_second_undo_finds_everything_reversed_and_keeps_it(world):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    world.undo()

    again = world.undo()

    assert (again["reversed"], again["kept"]) == (0, 1)
    assert world.kept(again["id"]) == [("points", "ada", "Transaction is reversed already")]
    assert balance(world.b) == 0


def test_an_undo_is_not_undone(world):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    world.undo()

    report = world.undo("operator")

    assert report["reversed"] == 0
    assert ("points", "ada", "An entry of type 'reversal' cannot be reversed") in world.kept(report["id"])


def test_an_undo_that_stops_anywhere_continues_and_has_the_same_result(world):
    for number in range(4):
        done(world.a.post("/points/award", {"participant_id": f"p{number}", "amount": 100}))
        done(world.a.post("/events", {"participant_id": f"p{number}", "event_name": "buy"}))
    asked = world.undo(runs=False)
    undo = Undo.objects.get(pk=asked["id"])

    for _ in range(20):
        undo = Undo.objects.get(pk=undo.pk)
        if undo.status == "done":
            break
        next(run(undo), None)

    report = world.report(asked["id"])
    assert (report["status"], report["reversed"], report["kept"]) == ("done", 8, 0)
    assert standing(world.tenant) == {}


def test_the_definition_is_a_cause_and_so_is_one_version_of_it(world):
    rule = Rule.objects.get(code="thanks")
    done(world.b.post("/events", ADA | {"event_name": "buy"}))
    done(world.operator.patch(f"/admin/rules/{rule.pk}", {"then": [{"type": "points", "amount": 90}]}))
    done(world.b.post("/events", ADA | {"event_name": "buy"}))
    cause = {"kind": "definition", "id": "rule:thanks"}

    world.undo(cause=cause | {"version": 2})
    assert balance(world.b) == 20

    world.undo(cause=cause)
    assert balance(world.b) == 0


def test_staff_who_awarded_in_the_console_are_a_cause(world):
    done(world.b.post("/points/award", ADA | {"amount": 1}))
    console = Console(world.tenant)
    participant = LedgerEntry.objects.get().participant_id
    console.post("participants_participant_award", participant, amount="50", reason="r", idempotency_key="k")

    world.undo(cause={"kind": "staff", "id": str(console.user.pk)})

    assert balance(world.b) == 1


def test_an_import_is_a_cause(world, tmp_path):
    path = tmp_path / "history.csv"
    path.write_text("participant_id,event_name,timestamp\nada,buy,2026-01-02T00:00:00Z\nbob,buy,2026-01-02T00:00:00Z\n")
    call_command("backfill_events", str(path), "--tenant", "acme", "--json")
    done(world.b.post("/events", ADA | {"event_name": "buy"}))
    [actor] = set(Event.objects.filter(actor__startswith="import:").values_list("actor", flat=True))

    report = world.undo(cause={"kind": "import", "id": actor.partition(":")[2]}, since="2025-01-01T00:00:00Z")

    assert report["by_type"]["event"]["reversed"] == 2
    assert {name: has["balance"] for name, has in standing(world.tenant).items()} == {"ada": 20}


def test_the_ledger_verifies_after_an_undo_of_everything(world):
    done(world.b.post("/points/award", ADA | {"amount": 600, "expires_in_days": 30}))
    done(world.a.post("/points/award", ADA | {"amount": 100, "expires_in_days": 10}))
    done(world.a.post("/points/deduct", ADA | {"amount": 150}))
    done(world.a.post("/badges/award", ADA | {"badge_code": "gift"}))
    done(world.a.post(f"/rewards/{world.rewards['mug']}/claim", ADA | {"points_deduction": True}))
    before = rows_of(world.tenant, f"api_key:{world.causes['b']['id']}")

    world.undo()

    assert rows_of(world.tenant, f"api_key:{world.causes['b']['id']}") == before
    assert balance(world.b) == 600
    call_command("verify_ledger", "--tenant", "acme", "--json")


# --- the endpoints ------------------------------------------------------------------------------------------------------


def test_a_second_undo_of_a_cause_that_is_being_undone_is_409(world):
    world.undo(runs=False)

    body = {"cause": world.causes["a"], "since": "2026-01-01T00:00:00Z"}
    refused = world.operator.post("/admin/undo", body)
    preview = world.operator.post("/admin/undo", body | {"dry_run": True})
    other = world.operator.post("/admin/undo", body | {"cause": world.causes["b"]})

    assert refusal(refused)[:2] == (409, "undo_running")
    assert (preview.status_code, other.status_code) == (202, 202)
    assert Undo.objects.count() == 3


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"cause": {"kind": "nobody", "id": "x"}}, ["cause.kind"]),
        ({"cause": {"kind": "api_key"}}, ["cause.id"]),
        ({"cause": {"kind": "api_key", "id": "x", "extra": 1}}, ["cause.extra"]),
        ({"cause": {"kind": "api_key", "id": "x", "version": 1}}, ["cause.version"]),
        ({"cause": {"kind": "definition", "id": "rule:thanks", "version": 9}}, ["cause.version"]),
        ({"cause": {"kind": "definition", "id": "x" * 100}}, ["cause.id"]),
        ({"cause": "api_key:x"}, ["cause"]),
        ({"since": "yesterday"}, ["since"]),
        ({"since": "2126-01-01T00:00:00Z"}, ["since"]),
        ({"until": "2025-01-01T00:00:00Z"}, ["since"]),
        ({"reason": "x" * 501}, ["reason"]),
        ({"dry_run": "maybe"}, ["dry_run"]),
    ],
)
def test_bad_input_names_the_field_and_leaves_no_trace(world, nothing_written, change, fields):
    body = {"cause": world.causes["a"], "since": "2026-01-01T00:00:00Z"} | change

    with nothing_written():
        answer = world.operator.post("/admin/undo", body)

    assert refused_fields(answer) == fields


def test_missing_fields_are_named(world):
    assert refused_fields(world.operator.post("/admin/undo", {})) == ["cause", "since"]


@pytest.mark.parametrize("path", ["", "/kept"])
def test_an_undo_of_another_tenant_is_404(world, other_admin_api, path):
    undo = world.undo()

    assert refusal(other_admin_api.get(f"/admin/undo/{undo['id']}{path}"))[:2] == (404, "undo_not_found")
    assert world.operator.get(f"/admin/undo/nonsense{path}").status_code == 404


def test_keys_without_the_admin_scope_are_refused(world, api):
    assert api.post("/admin/undo", {"cause": world.causes["a"], "since": "2026-01-01T00:00:00Z"}).status_code == 403


def test_an_undo_touches_only_its_own_tenant(world, other_tenant, other_admin_api):
    done(other_admin_api.post("/points/award", ADA | {"amount": 10}))
    actor = LedgerEntry.objects.get(tenant=other_tenant).actor

    report = world.undo(cause={"kind": "api_key", "id": actor.partition(":")[2]})

    assert report["reversed"] == 0
    assert not LedgerEntry.objects.filter(type="reversal").exists()


def test_what_was_kept_is_listed_page_by_page(world):
    for number in range(5):
        done(world.a.post("/streaks/record", {"participant_id": f"p{number}", "streak_code": "daily"}))
    undo = world.undo()

    pages, cursor = [], ""
    while cursor is not None:
        page = done(world.operator.get(f"/admin/undo/{undo['id']}/kept?limit=2&cursor={cursor}"))
        pages.append([item["participant_id"] for item in page["items"]])
        cursor = page["next_cursor"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(who for page in pages for who in page) == [f"p{number}" for number in range(5)]


def test_the_command_undoes_and_reports(world, capsys):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    done(world.a.post("/streaks/record", ADA | {"streak_code": "daily"}))
    cause = f"api_key:{world.causes['a']['id']}"

    call_command("undo_cause", cause, "--tenant", "acme", "--since", "2026-01-01T00:00:00Z", "--dry-run", "--json")
    assert balance(world.b) == 100
    call_command("undo_cause", cause, "--tenant", "acme", "--since", "2026-01-01T00:00:00Z", "--json")

    *_, preview, report = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert balance(world.b) == 0
    assert (report["status"], report["reversed"], report["kept"]) == ("done", 1, 1)
    assert preview["reasons"] == report["reasons"]


def test_erasing_a_participant_removes_the_items_of_undos(world):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    world.undo()
    assert UndoItem.objects.exists()

    done(world.operator.delete("/admin/participants/ada"))

    assert not UndoItem.objects.exists()


def test_nothing_is_told_of_a_participant_in_the_reasons(world):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    done(world.b.post("/points/deduct", ADA | {"amount": 100}))
    world.undo()

    assert "ada" not in repr(list(UndoItem.objects.values()))
