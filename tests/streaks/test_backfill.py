"""The command that imports past ticks."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, timedelta
from random import Random

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from gamify.facts.services import grant_kinds
from participants.models import DomainEvent, FileImport, IdempotencyKey, Participant
from participants.services.tenants import create_tenant
from streaks.models import ParticipantStreak
from streaks.services import create_streak, record

DAY = timedelta(days=1)
REWARD = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture
def noon():
    return timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - DAY


def define(tenant, code="daily", **data):
    row = create_streak(
        tenant=tenant, data={"code": code, "name": code, "event_types": [code], **data}, now=timezone.now()
    )
    tenant.refresh_from_db()
    return row


@pytest.fixture
def written(tmp_path):
    """`written(ticks)` is the path of a CSV file with these (participant, code, instant)."""

    def write(ticks, name="ticks.csv", more=""):
        lines = [f"{who},{code},{at if isinstance(at, str) else at.isoformat()}\n" for who, code, at in ticks]
        path = tmp_path / name
        path.write_text("participant_id,streak_code,timestamp\n" + "".join(lines) + more)
        return str(path)

    return write


def backfill(path, *options, tenant="acme"):
    out, err = io.StringIO(), io.StringIO()
    call_command("backfill_streaks", path, "--tenant", tenant, "--json", *options, stdout=out, stderr=err)
    report = json.loads(out.getvalue())
    return {name: report[name] for name in ("lines", "recorded", "repeated", "bad")}, err.getvalue()


def states():
    fields = ("participant__external_id", "streak__code", "runs", "carried", "paid", "count", "last_activity_at")
    rows = ParticipantStreak.objects.order_by("participant__external_id", "streak__code").values_list(*fields)
    return [list(row) for row in rows]


def history(noon, codes=("daily",), people=("ada", "bo"), ages=(9, 8, 2, 1, 0, 1)):
    return [(who, code, noon - age * DAY) for age in ages for who in people for code in codes]


def test_a_history_has_the_same_result_as_single_ticks_in_any_order(tenant, other_tenant, noon, written):
    for owner in (tenant, other_tenant):
        define(owner)
        define(owner, "weekly", period="weekly", grace_periods=1)
    ticks = history(noon, codes=("daily", "weekly"))
    for who, code, at in sorted(ticks, key=lambda tick: tick[2]):
        record(tenant=tenant, participant_id=who, streak_code=code, at=at, now=timezone.now())
    one_by_one = states()
    ParticipantStreak.objects.all().delete()

    Random(1).shuffle(ticks)
    report, _ = backfill(written(ticks), tenant="globex")

    assert states() == one_by_one
    assert (report["lines"], report["bad"]) == (len(ticks), 0)


def test_importing_the_file_again_changes_nothing(tenant, noon, written):
    define(tenant)
    path = written(history(noon))
    first, _ = backfill(path)
    before = states()

    again, err = backfill(path)

    assert first == {"lines": 12, "recorded": 10, "repeated": 2, "bad": 0}
    assert again == {"lines": 0, "recorded": 0, "repeated": 0, "bad": 0}
    assert "This file was imported completely before" in err
    assert states() == before


def test_the_same_ticks_in_another_file_count_once(tenant, noon, written):
    define(tenant, condition={"type": "count", "min": 3})
    hours = [noon + hour * timedelta(hours=1) for hour in (0, 1)]
    ticks = [("ada", "daily", at) for at in hours]
    first, _ = backfill(written(ticks))

    shared, _ = backfill(written([*ticks, ("ada", "daily", noon + timedelta(hours=1, minutes=1))], "more.csv"))
    again, _ = backfill(written(ticks), "--restart")

    assert (first["recorded"], shared["recorded"], shared["repeated"], again["repeated"]) == (2, 1, 2, 2)
    assert ParticipantStreak.objects.get().runs == [[noon.toordinal(), 1]]


def test_no_idempotency_request_is_stored_if_one_tick_satisfies_a_window(tenant, noon, written):
    define(tenant)

    backfill(written(history(noon)))

    assert not IdempotencyKey.objects.exists()


def test_bad_lines_are_reported_by_number_and_do_not_stop_the_import(tenant, noon, written, tmp_path):
    define(tenant)
    define(tenant, "paused", is_active=False)
    define(tenant, "points", condition={"type": "sum", "field": "points", "min": 5})
    ahead = (timezone.now() + timedelta(minutes=6)).isoformat()
    bad = [
        ("", "daily", noon),
        ("x" * 256, "daily", noon),
        ("ada", "unknown", noon),
        ("ada", "paused", noon),
        ("ada", "points", noon),
        ("ada", "daily", "soon"),
        ("ada", "daily", ahead),
        ("ada", "daily", "1969-12-31T23:59:59Z"),
    ]
    path = written([*bad, ("bo", "daily", noon)], more="ada,daily\n")

    report, err = backfill(path, "--bad", str(tmp_path / "bad.txt"))

    expected = [
        "line 2: participant_id: Is missing.",
        "line 3: participant_id: Must be 1 to 255 characters long.",
        "line 4: Streak 'unknown' not found",
        "line 5: Streak 'paused' is not active",
        "line 6: Streak 'points' advances through events only: it looks at what they carry",
        "line 7: timestamp: Must be a date and a time as in RFC 3339, such as 2026-02-14T10:00:00Z.",
        "line 8: timestamp: Must not be more than 5 minutes in the future.",
        "line 9: timestamp: Must not be before 1970.",
        "line 11: has 2 fields, and the header 3",
    ]
    assert report == {"lines": 10, "recorded": 1, "repeated": 0, "bad": 9}
    assert [line for line in err.splitlines() if line.startswith("line ")] == expected
    assert (tmp_path / "bad.txt").read_text().splitlines() == expected
    assert list(Participant.objects.values_list("external_id", flat=True)) == ["bo"]


def test_strict_fails_on_a_bad_line_and_imports_the_others(tenant, noon, written):
    define(tenant)
    path = written([("ada", "unknown", noon), ("bo", "daily", noon)])

    with pytest.raises(CommandError, match="Bad lines in this file: 1"):
        backfill(path, "--strict")

    assert Participant.objects.get().external_id == "bo"


def test_a_dry_run_reports_and_writes_nothing(tenant, noon, written, nothing_written):
    define(tenant, condition={"type": "count", "min": 2})

    with nothing_written():
        report, _ = backfill(written(history(noon)), "--dry-run")

    assert report == {"lines": 12, "recorded": 10, "repeated": 2, "bad": 0}
    assert backfill(written(history(noon)))[0] == report


def test_the_import_is_silent_by_default(tenant, noon, written):
    define(tenant)
    backfill(written(history(noon, people=["ada"])))
    assert not DomainEvent.objects.exists()

    backfill(written(history(noon, people=["bo"]), "b.csv"), "--emit")

    types = set(DomainEvent.objects.values_list("type", flat=True))
    assert types == {"participant.created", "streak.incremented"}


@pytest.mark.parametrize(("options", "given"), [((), 2), (("--without-rewards",), 0)])
def test_milestones_grant_their_rewards_unless_disabled(tenant, noon, written, monkeypatch, options, given):
    rewards = []
    kind = replace(grant_kinds["reward"], give=lambda *call: rewards.append(call) or (), problem=lambda *call: None)
    monkeypatch.setitem(grant_kinds._entries, "reward", kind)
    define(tenant, milestones=[{"threshold": 2, "reward_item_id": REWARD, "repeatable": False}])

    backfill(written(history(noon)), *options)

    assert len(rewards) == given
    assert {tuple(paid[0]) for paid in ParticipantStreak.objects.values_list("paid", flat=True)}
    backfill(written(history(noon, ages=(3,)), "later.csv"))
    assert len(rewards) == given  # a milestone that counts as reached never pays later


def test_an_imported_history_does_not_count_as_a_visit(tenant, noon, written):
    define(tenant)
    record(tenant=tenant, participant_id="ada", streak_code="daily", at=noon, now=noon)

    backfill(written(history(noon, people=["ada"])))

    assert Participant.objects.get().last_seen_at == noon


def test_ndjson_and_a_stream_are_read_too(tenant, noon, tmp_path, monkeypatch):
    define(tenant)
    line = json.dumps({"participant_id": "ada", "streak_code": "daily", "timestamp": noon.isoformat()})
    (tmp_path / "ticks.ndjson").write_text(f"{line}\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{line}\n".encode())))

    from_file, _ = backfill(str(tmp_path / "ticks.ndjson"))
    from_stream, err = backfill("-", "--format", "ndjson")

    assert (from_file["recorded"], from_stream["repeated"]) == (1, 1)
    assert "Reading a stream" in err


def test_the_sandbox_and_other_tenants_are_separate(tenant, other_tenant, noon, written):
    define(tenant.sandbox)
    define(other_tenant)

    report, _ = backfill(written(history(noon)), "--sandbox")
    elsewhere, _ = backfill(written(history(noon)), tenant="globex")

    assert (report["recorded"], elsewhere["recorded"]) == (10, 10)
    assert set(Participant.objects.values_list("tenant_id", flat=True)) == {tenant.sandbox.pk, other_tenant.pk}


def test_an_unknown_tenant_and_a_missing_file_are_one_line(tenant, written, noon):
    with pytest.raises(CommandError, match="Tenant not found: nobody"):
        backfill(written(history(noon)), tenant="nobody")
    with pytest.raises(CommandError, match="No such file"):
        backfill("missing.csv")


def test_a_batch_needs_as_many_statements_as_one_line(tenant, noon, written, queries):
    define(tenant)
    backfill(written([("ada", "daily", noon)]))
    people = [f"user_{number}" for number in range(100)]
    path = written(history(noon, people=people, ages=(1, 0)), "many.csv")

    with queries(10):
        backfill(path)


@pytest.mark.deployment
@pytest.mark.django_db(transaction=True)
def test_a_killed_import_resumes_without_gap_and_without_repetition(noon, written):
    tenant = create_tenant(slug="acme", name="Acme", now=timezone.now())
    define(tenant, condition={"type": "count", "min": 2})
    people = [f"user_{number}" for number in range(300)]
    ticks = [
        (who, "daily", noon - age * DAY + minute * timedelta(minutes=1))
        for age in range(20)
        for minute in (0, 1)
        for who in people
    ]
    path = written(ticks)
    database = connection.settings_dict
    address = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    environment = os.environ | {"DATABASE_URL": f"postgres://{database['USER']}:{database['PASSWORD']}@{address}"}
    command = [sys.executable, "manage.py", "backfill_streaks", path, "--tenant", "acme", "--batch", "100", "--json"]

    kills = 0
    for _ in range(3):
        process = subprocess.Popen(
            command, cwd=django_settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        before = FileImport.objects.values_list("line", flat=True).first() or 0
        deadline = time.monotonic() + 60
        while (
            process.poll() is None and (FileImport.objects.values_list("line", flat=True).first() or 0) < before + 500
        ):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    assert kills == 3
    begun = FileImport.objects.get().line
    assert 1500 <= begun < len(ticks)

    report, err = backfill(path)

    assert f"Continuing after line {begun}" in err
    assert report["lines"] == len(ticks) + 1 - begun
    runs = ParticipantStreak.objects.values_list("runs", flat=True)
    assert [list(map(tuple, each)) for each in runs] == [[((noon - 19 * DAY).toordinal(), 20)]] * len(people)
    progress = ParticipantStreak.objects.values_list("progress", flat=True)
    assert {each[str(noon.toordinal())][0] for each in progress} == {2}
