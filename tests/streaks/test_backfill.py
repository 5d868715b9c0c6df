"""The command that brings in a history of ticks."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, timedelta
from random import Random

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from gamify.facts.services import GrantKind, grant_kinds
from participants.models import DomainEvent, FileImport, IdempotencyKey, Participant
from participants.services.tenants import create_tenant
from streaks.models import ParticipantStreak
from streaks.services import create_streak, record

DAY = timedelta(days=1)
REWARD = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture
def noon():
    return timezone.now().astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - DAY


def defined(tenant, code="daily", **data):
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


def test_a_history_is_what_it_would_be_tick_by_tick_in_any_order(tenant, other_tenant, noon, written):
    for owner in (tenant, other_tenant):
        defined(owner)
        defined(owner, "weekly", period="weekly", grace_periods=1)
    ticks = history(noon, codes=("daily", "weekly"))
    for who, code, at in sorted(ticks, key=lambda tick: tick[2]):
        record(tenant=tenant, participant_id=who, streak_code=code, at=at, now=timezone.now())
    one_by_one = states()
    ParticipantStreak.objects.all().delete()

    Random(1).shuffle(ticks)
    told, _ = backfill(written(ticks), tenant="globex")

    assert states() == one_by_one
    assert (told["lines"], told["bad"]) == (len(ticks), 0)


def test_a_second_run_of_the_file_does_nothing(tenant, noon, written):
    defined(tenant)
    path = written(history(noon))
    first, _ = backfill(path)
    before = states()

    again, err = backfill(path)

    assert first == {"lines": 12, "recorded": 10, "repeated": 2, "bad": 0}
    assert again == {"lines": 0, "recorded": 0, "repeated": 0, "bad": 0}
    assert "All of this file was done before" in err
    assert states() == before


def test_the_same_ticks_in_another_file_or_anew_count_once(tenant, noon, written):
    defined(tenant, condition={"type": "count", "min": 3})
    hours = [noon + hour * timedelta(hours=1) for hour in (0, 1)]
    ticks = [("ada", "daily", at) for at in hours]
    first, _ = backfill(written(ticks))

    shared, _ = backfill(written([*ticks, ("ada", "daily", noon + timedelta(hours=1, minutes=1))], "more.csv"))
    anew, _ = backfill(written(ticks), "--restart")

    assert (first["recorded"], shared["recorded"], shared["repeated"], anew["repeated"]) == (2, 1, 2, 2)
    assert ParticipantStreak.objects.get().runs == [[noon.toordinal(), 1]]


def test_where_one_tick_is_enough_no_key_is_kept(tenant, noon, written):
    defined(tenant)

    backfill(written(history(noon)))

    assert not IdempotencyKey.objects.exists()


def test_bad_lines_are_told_by_number_and_stop_nothing(tenant, noon, written, tmp_path):
    defined(tenant)
    defined(tenant, "paused", is_active=False)
    defined(tenant, "points", condition={"type": "sum", "field": "points", "min": 5})
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

    told, err = backfill(path, "--bad", str(tmp_path / "bad.txt"))

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
    assert told == {"lines": 10, "recorded": 1, "repeated": 0, "bad": 9}
    assert [line for line in err.splitlines() if line.startswith("line ")] == expected
    assert (tmp_path / "bad.txt").read_text().splitlines() == expected
    assert list(Participant.objects.values_list("external_id", flat=True)) == ["bo"]


def test_strict_fails_where_a_line_is_bad_and_has_done_the_others(tenant, noon, written):
    defined(tenant)
    path = written([("ada", "unknown", noon), ("bo", "daily", noon)])

    with pytest.raises(CommandError, match="Bad lines in this file: 1"):
        backfill(path, "--strict")

    assert Participant.objects.get().external_id == "bo"


def test_a_dry_run_tells_and_writes_nothing(tenant, noon, written, nothing_written):
    defined(tenant, condition={"type": "count", "min": 2})

    with nothing_written():
        told, _ = backfill(written(history(noon)), "--dry-run")

    assert told == {"lines": 12, "recorded": 10, "repeated": 2, "bad": 0}
    assert backfill(written(history(noon)))[0] == told


def test_it_is_silent_unless_asked_to_tell(tenant, noon, written):
    defined(tenant)
    backfill(written(history(noon, people=["ada"])))
    assert not DomainEvent.objects.exists()

    backfill(written(history(noon, people=["bo"]), "b.csv"), "--emit")

    types = set(DomainEvent.objects.values_list("type", flat=True))
    assert types == {"participant.created", "streak.incremented"}


@pytest.mark.parametrize(("options", "given"), [((), 2), (("--without-rewards",), 0)])
def test_milestones_give_their_rewards_unless_told_not_to(tenant, noon, written, monkeypatch, options, given):
    rewards = []
    kind = GrantKind(give=lambda *told: rewards.append(told) or (), problem=lambda tenant, spec: None, keys=("id",))
    monkeypatch.setitem(grant_kinds._entries, "reward", kind)
    defined(tenant, milestones=[{"threshold": 2, "reward_item_id": REWARD, "repeatable": False}])

    backfill(written(history(noon)), *options)

    assert len(rewards) == given
    assert {tuple(paid[0]) for paid in ParticipantStreak.objects.values_list("paid", flat=True)}
    backfill(written(history(noon, ages=(3,)), "later.csv"))
    assert len(rewards) == given  # reached is reached


def test_a_history_is_no_visit(tenant, noon, written):
    defined(tenant)
    record(tenant=tenant, participant_id="ada", streak_code="daily", at=noon, now=noon)

    backfill(written(history(noon, people=["ada"])))

    assert Participant.objects.get().last_seen_at == noon


def test_ndjson_and_a_stream_are_read_too(tenant, noon, tmp_path, monkeypatch):
    defined(tenant)
    line = json.dumps({"participant_id": "ada", "streak_code": "daily", "timestamp": noon.isoformat()})
    (tmp_path / "ticks.ndjson").write_text(f"{line}\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{line}\n".encode())))

    from_file, _ = backfill(str(tmp_path / "ticks.ndjson"))
    from_stream, err = backfill("-", "--format", "ndjson")

    assert (from_file["recorded"], from_stream["repeated"]) == (1, 1)
    assert "Reading a stream" in err


def test_the_sandbox_and_other_tenants_are_apart(tenant, other_tenant, noon, written):
    defined(tenant.sandbox)
    defined(other_tenant)

    told, _ = backfill(written(history(noon)), "--sandbox")
    elsewhere, _ = backfill(written(history(noon)), tenant="globex")

    assert (told["recorded"], elsewhere["recorded"]) == (10, 10)
    assert set(Participant.objects.values_list("tenant_id", flat=True)) == {tenant.sandbox.pk, other_tenant.pk}


def test_an_unknown_tenant_and_a_missing_file_are_one_line(tenant, written, noon):
    with pytest.raises(CommandError, match="Tenant not found: nobody"):
        backfill(written(history(noon)), tenant="nobody")
    with pytest.raises(CommandError, match="No such file"):
        backfill("missing.csv")


def test_a_batch_takes_as_many_statements_as_one_line_does(tenant, noon, written, queries):
    defined(tenant)
    backfill(written([("ada", "daily", noon)]))
    people = [f"user_{number}" for number in range(100)]
    path = written(history(noon, people=people, ages=(1, 0)), "many.csv")

    with queries(10):
        backfill(path)


@pytest.mark.deployment
@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_goes_on_without_a_gap_and_without_a_repetition(noon, written):
    tenant = create_tenant(slug="acme", name="Acme", now=timezone.now())
    defined(tenant, condition={"type": "count", "min": 2})
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

    told, err = backfill(path)

    assert f"Going on behind line {begun}" in err
    assert told["lines"] == len(ticks) + 1 - begun
    runs = ParticipantStreak.objects.values_list("runs", flat=True)
    assert [list(map(tuple, each)) for each in runs] == [[((noon - 19 * DAY).toordinal(), 20)]] * len(people)
    progress = ParticipantStreak.objects.values_list("progress", flat=True)
    assert {each[str(noon.toordinal())][0] for each in progress} == {2}
