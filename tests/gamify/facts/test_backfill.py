"""The command that imports past events."""

import io
import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Grant, Source
from gamify.facts.management.commands import backfill_events
from gamify.facts.models import Event
from gamify.facts.services import Consumer, emit, emit_batch, record_history, reverse_event
from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, FileImport, IdempotencyKey, Participant
from streaks.models import ParticipantStreak
from streaks.services import create_streak
from tests.factories import TierFactory

BEGIN = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CHEAP = {"type": "points", "field": "amount"}
consumed = []


def _consume(fact, work, *, now):
    consumed.append((fact.participant.external_id, fact.name, fact.at))
    if fact.name == "buy":
        yield Grant("points", CHEAP, Source("rule", "spend"), f"{fact.key}/0")


LISTENER = Consumer(loads=lambda catalog, events: [], consume=_consume)


@pytest.fixture(autouse=True)
def one_rule(settings):
    consumed.clear()
    settings.FACT_CONSUMERS = ["streaks.consumers.LISTENER", f"{__name__}.LISTENER"]


def line(who, name, at, key=None, **properties):
    return {
        "participant_id": who,
        "event_name": name,
        "timestamp": at if isinstance(at, str) else at.isoformat(),
        "properties": properties,
        "idempotency_key": key,
    }


@pytest.fixture
def written(tmp_path):
    """`written(lines)` is the path of an NDJSON file."""

    def write(lines, name="events.ndjson"):
        path = tmp_path / name
        path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in lines))
        return str(path)

    return write


def backfill(path, *options, tenant="acme", stdin=None):
    out, err = io.StringIO(), io.StringIO()
    call_command("backfill_events", path, "--tenant", tenant, "--json", *options, stdout=out, stderr=err)
    report = json.loads(out.getvalue())
    return {name: report[name] for name in ("lines", "recorded", "repeated", "bad")}, err.getvalue()


def history(people=("ada", "bo"), days=4):
    return [
        line(who, name, BEGIN + day * DAY + timedelta(hours=hour), amount=day * 10 + hour)
        for day in range(days)
        for who in people
        for hour, name in enumerate(("login", "buy"), 1)
    ]


def outcome():
    """All that a history leads to, but for ids and the moment at which it was brought in."""
    people = Participant.objects.order_by("external_id").values_list("external_id", "balance", "total_events")
    events = Event.objects.order_by("participant__external_id", "occurred_at").values_list("name", "occurred_at")
    streaks = ParticipantStreak.objects.order_by("participant__external_id").values_list("runs", "last_activity_at")
    entries = LedgerEntry.objects.order_by("participant__external_id", "number").values_list("delta", "balance_after")
    return [list(rows) for rows in (people, events, streaks, entries)]


def daily(tenant):
    create_streak(tenant=tenant, data={"code": "daily", "name": "Daily", "event_types": ["login"]}, now=BEGIN)
    tenant.refresh_from_db()


def as_event(fields):
    at = datetime.fromisoformat(fields["timestamp"])
    return EventInput(
        fields["participant_id"], fields["event_name"], at, fields["properties"], fields["idempotency_key"]
    )


def forget(*models):
    for model in (Event, LedgerEntry, ParticipantStreak, DomainEvent, IdempotencyKey, *models):
        model.objects.all().delete()
    Participant.objects.all().delete()


@pytest.mark.parametrize("batch", ["1", "3", "1000"])
def test_a_history_has_the_same_effects_as_single_calls(tenant, written, batch):
    daily(tenant)
    lines = history()
    for each in lines:
        emit(tenant=tenant, event=as_event(each), now=datetime.now(UTC))
    one_by_one = outcome()
    forget()

    report, _ = backfill(written(Random(1).sample(lines, len(lines))), "--batch", batch)

    assert report == {"lines": 16, "recorded": 16, "repeated": 0, "bad": 0}
    assert outcome() == one_by_one


def test_events_are_processed_in_the_order_in_which_they_happened(tenant, written):
    lines = history()

    backfill(written(Random(2).sample(lines, len(lines))), "--batch", "2")

    times = [at for _, _, at in consumed]
    assert len(times) == 16
    assert times == sorted(times)


def test_csv_has_properties_as_json(tenant, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(
        "timestamp,participant_id,event_name,properties,idempotency_key\n"
        '2024-03-02T10:00:00Z,ada,buy,"{""amount"": 7}",order_2\n'
        "2024-03-01T10:00:00,ada,login,,\n"
    )

    report, _ = backfill(str(path))

    assert report == {"lines": 2, "recorded": 2, "repeated": 0, "bad": 0}
    assert list(Event.objects.order_by("occurred_at").values_list("name", "properties")) == [
        ("login", {}),
        ("buy", {"amount": 7}),
    ]


def test_running_it_twice_is_like_once_whatever_the_file(tenant, written):
    lines = history(people=("ada",))
    backfill(written(lines))
    before = outcome()

    again, _ = backfill(written(lines), "--restart")
    other, _ = backfill(written([*lines, line("ada", "login", BEGIN + 9 * DAY)], "more.ndjson"))

    assert again == {"lines": 8, "recorded": 0, "repeated": 8, "bad": 0}
    assert other == {"lines": 9, "recorded": 1, "repeated": 8, "bad": 0}
    assert outcome()[3] == before[3]


def test_a_key_is_the_same_as_in_a_call(tenant, written):
    emit_batch(
        tenant=tenant, events=[EventInput("ada", "buy", BEGIN, {"amount": 5}, "k")], refused={}, now=datetime.now(UTC)
    )

    report, output = backfill(
        written([line("ada", "buy", BEGIN, "k", amount=5), line("ada", "sell", BEGIN, "k", amount=5)])
    )

    assert report == {"lines": 2, "recorded": 0, "repeated": 1, "bad": 1}
    assert "line 2: " in output


def test_a_bad_line_is_reported_with_its_number_and_stops_nothing(tenant, written):
    lines = [
        line("ada", "login", BEGIN + DAY),
        "{",
        line("ada", "login", "yesterday"),
        line("", "login", BEGIN),
        line("ada", "x" * 101, BEGIN),
        line("ada", "login", datetime.now(UTC) + DAY),
        {**line("ada", "login", BEGIN), "properties": [1]},
        {**line("ada", "login", BEGIN), "properties": {"a": "\x00"}},
        {**line("ada", "login", BEGIN), "properties": {"a": "x" * 17_000}},
        {**line("ada", "login", BEGIN), "idempotency_key": "k" * 256},
        {**line("ada", "login", BEGIN), "idempotency_key": []},
        {**line("ada", "login", BEGIN), "idempotency_key": "\ud800"},
        {**line("ada", "login", BEGIN), "idempotency_key": "\x00"},
        line("a\tb", "login", BEGIN),
        line("ada", "login", BEGIN),
    ]

    report, output = backfill(written(lines))

    assert report == {"lines": 15, "recorded": 2, "repeated": 0, "bad": 13}
    numbers = [
        int(each.split(":")[0].removeprefix("line ")) for each in output.splitlines() if each.startswith("line ")
    ]
    assert sorted(numbers) == list(range(2, 15))
    assert "properties: a: Must not contain NUL characters." in output


def test_fields_of_lines_are_not_confused_with_internal_names(tenant, written):
    odd = {**line("ada", "login", BEGIN), "\x00problem": "is bad", "\x00line": 77}

    report, output = backfill(written([line("ada", "login", BEGIN + DAY), odd, "{"]))

    assert report == {"lines": 3, "recorded": 2, "repeated": 0, "bad": 1}
    assert "line 3: " in output


def test_it_is_silent_by_default(tenant, written):
    backfill(written(history(days=1)))
    silent = DomainEvent.objects.count()
    forget()

    backfill(written(history(days=1)), "--emit", "--restart")

    assert silent == 0
    assert set(DomainEvent.objects.values_list("type", flat=True)) == {
        "participant.created",
        "event.recorded",
        "points.awarded",
    }


def test_participants_were_last_seen_when_the_history_says(tenant, written):
    emit(tenant=tenant, event=EventInput("bo", "login", BEGIN + 90 * DAY), now=BEGIN + 90 * DAY)

    backfill(written(history()))

    seen = dict(Participant.objects.values_list("external_id", "last_seen_at"))
    first = Participant.objects.get(external_id="ada").first_seen_at
    assert first == BEGIN + timedelta(hours=1)
    assert seen == {"ada": BEGIN + 3 * DAY + timedelta(hours=2), "bo": BEGIN + 90 * DAY}


def test_a_dry_run_reports_what_would_be_done_and_writes_nothing(tenant, written):
    TierFactory(tenant=tenant)

    report, _ = backfill(written(history()), "--dry-run")

    assert report == {"lines": 16, "recorded": 16, "repeated": 0, "bad": 0}
    assert not Participant.objects.exists()
    assert not Event.objects.exists()
    assert not FileImport.objects.exists()


def test_it_resumes_in_the_same_order(tenant, written, monkeypatch):
    lines = history()
    path = written(Random(4).sample(lines, len(lines)))
    taken = []

    def stop_at_the_third(**given):
        taken.append(given)
        if len(taken) == 3:
            raise KeyboardInterrupt
        return record_history(**given)

    monkeypatch.setattr(backfill_events, "record_history", stop_at_the_third)
    with pytest.raises(CommandError, match="Stopped"):
        backfill(path, "--batch", "3")
    report, output = backfill(path, "--batch", "3")

    assert report == {"lines": 10, "recorded": 10, "repeated": 0, "bad": 0}
    assert "Continuing after line 6" in output
    assert [at for _, _, at in consumed] == sorted(at for _, _, at in consumed)
    assert Event.objects.count() == 16


def test_another_tenant_has_its_own(tenant, other_tenant, written):
    path = written(history(days=1))

    for slug in ("acme", "globex"):
        assert backfill(path, tenant=slug)[0]["recorded"] == 4

    assert Event.objects.filter(tenant=other_tenant).count() == 4


# --- the same event by a call and in a file ---------------------------------------------------------------------------

PURCHASE = line("user_1", "purchase", "2026-02-14T10:00:00Z", a=1)


@pytest.fixture
def call(tenant):
    """`call(PURCHASE)` records an event as the API does."""

    def record(fields):
        emit(tenant=tenant, event=as_event(fields), now=datetime.now(UTC))

    return record


@pytest.mark.parametrize("key", [None, "order_1"])
def test_an_event_of_a_call_is_recognised_in_a_file_without_a_key(call, written, key):
    call(PURCHASE | {"idempotency_key": key})

    report, _ = backfill(written([PURCHASE]))

    assert report == {"lines": 1, "recorded": 0, "repeated": 1, "bad": 0}
    assert Event.objects.count() == Participant.objects.get().total_events == 1


def test_the_file_in_csv_of_an_event_sent_by_a_call_counts_nothing(call, tmp_path):
    path = tmp_path / "09-events-overlap.csv"
    path.write_text(
        'participant_id,event_name,timestamp,properties\nuser_1,purchase,2026-02-14T10:00:00Z,"{""a"": 1}"\n'
    )
    call(PURCHASE)

    assert backfill(str(path))[0] == {"lines": 1, "recorded": 0, "repeated": 1, "bad": 0}
    assert Event.objects.count() == 1


def test_numbers_that_are_equal_make_one_event_of_a_file(tenant, tmp_path):
    path = tmp_path / "10-events-1-and-1.0.csv"
    path.write_text(
        "participant_id,event_name,timestamp,properties\n"
        'user_1,purchase,2026-02-14T10:00:00Z,"{""a"": 1}"\n'
        'user_1,purchase,2026-02-14T10:00:00Z,"{""a"": 1.0}"\n'
    )

    assert backfill(str(path))[0] == {"lines": 2, "recorded": 1, "repeated": 1, "bad": 0}
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    "number",
    [1, 1.0, -0.0, 0.1, 1e22, 1e308, 5e-324, 1.2345678901234568e18, 2**63 - 1, 9007199254740993, True, "1", None],
)
def test_the_database_gives_back_the_numbers_that_were_sent(call, written, number):
    fields = line("user_1", "purchase", BEGIN, deep={"list": [number, {"a": number}]})
    call(fields)

    assert backfill(written([fields]))[0]["repeated"] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"participant_id": "user_2"},
        {"participant_id": "user_1 "},
        {"event_name": "sale"},
        {"timestamp": "2026-02-14T10:00:00.000001Z"},
        {"properties": {"a": 2}},
        {"properties": {"a": True}},
        {"properties": {}},
        {"idempotency_key": "order_1"},
    ],
)
def test_an_event_that_differs_in_anything_is_another_one(call, written, other):
    call(PURCHASE)

    assert backfill(written([PURCHASE | other]))[0]["recorded"] == 1


def test_two_equal_calls_are_two_events_and_equal_lines_repeat_them(call, written):
    call(PURCHASE)
    call(PURCHASE)

    report, _ = backfill(written([PURCHASE, PURCHASE, line("user_1", "purchase", "2026-02-14T10:00:00Z", a=2)]))

    assert report == {"lines": 3, "recorded": 1, "repeated": 2, "bad": 0}
    assert Event.objects.count() == 3


def test_a_call_after_the_file_is_an_event_of_its_own(call, written):
    path = written([PURCHASE])
    backfill(path)
    call(PURCHASE)

    assert Event.objects.count() == 2
    assert backfill(path, "--restart")[0]["repeated"] == 1


@pytest.mark.parametrize("batch", ["1", "1000"])
def test_a_line_without_a_key_repeats_one_with_a_key_whatever_the_batches(tenant, written, batch):
    lines = [PURCHASE | {"idempotency_key": "order_1"}, PURCHASE, PURCHASE]

    report, _ = backfill(written(lines), "--batch", batch)

    assert report == {"lines": 3, "recorded": 1, "repeated": 2, "bad": 0}


def test_an_event_that_was_reversed_does_not_come_back(tenant, call, written):
    call(PURCHASE)
    event = Event.objects.get()
    reverse_event(tenant=tenant, event_id=str(event.pk), reason=None, now=datetime.now(UTC))

    assert backfill(written([PURCHASE]))[0]["repeated"] == 1


def test_the_same_event_of_another_tenant_is_another_event(call, other_tenant, written):
    call(PURCHASE)

    assert backfill(written([PURCHASE]), tenant="globex")[0]["recorded"] == 1


def test_a_dry_run_knows_the_events_of_calls(call, written):
    call(PURCHASE)

    assert backfill(written([PURCHASE]), "--dry-run")[0]["repeated"] == 1


def test_many_events_are_looked_up_by_as_many_statements_as_one(tenant):
    def statements(people, days):
        events = [as_event(each) for each in history(people=people, days=days)]
        for each in events[::2]:
            emit(tenant=tenant, event=each, now=datetime.now(UTC))
        with CaptureQueriesContext(connection) as captured:
            taken = record_history(tenant=tenant, events=events, now=datetime.now(UTC))
        assert [each.is_repeat for each in taken] == [True, False] * (len(events) // 2)
        return len(captured)

    statements(["bo"], 1)  # reads the catalog, which stays in memory

    assert statements(["ada"], 1) == statements([f"user_{number}" for number in range(20)], 5)


# --- columns and ids ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cell", "meant"),
    [
        ("Properties", '"{""amount"": 5}"', "properties"),
        ("Idempotency_Key", "order_1", "idempotency_key"),
        ("Idempotency-Key", "order_1", "idempotency_key"),
        ("idempotencyKey", "order_1", "idempotency_key"),
    ],
)
def test_a_misspelt_column_refuses_the_file(tenant, tmp_path, nothing_written, header, cell, meant):
    path = tmp_path / "events.csv"
    path.write_text(f"participant_id,event_name,timestamp,{header}\nuser_1,purchase,2026-02-14T10:00:00Z,{cell}\n")

    with (
        nothing_written(),
        pytest.raises(CommandError, match=f'has the column "{header}", which must be called {meant}'),
    ):
        backfill(str(path))


def test_in_ndjson_it_refuses_the_line(tenant, written):
    nearly = {**line("ada", "buy", BEGIN), "Properties": {"amount": 5}}

    report, output = backfill(written([line("ada", "login", BEGIN + DAY), nearly]))

    assert report == {"lines": 2, "recorded": 1, "repeated": 0, "bad": 1}
    assert 'line 2: has the column "Properties", which must be called properties' in output


@pytest.mark.parametrize("is_in_order", [True, False])
def test_other_columns_are_listed(tenant, tmp_path, is_in_order):
    days = ["2026-02-14", "2026-02-15"]
    path = tmp_path / "events.csv"
    path.write_text(
        "participant_id,event_name,country,timestamp\n"
        + "".join(f"ada,login,DE,{day}T10:00:00Z\n" for day in (days if is_in_order else reversed(days)))
    )
    out, err = io.StringIO(), io.StringIO()

    call_command("backfill_events", str(path), "--tenant", "acme", "--json", stdout=out, stderr=err)

    assert json.loads(out.getvalue())["columns_not_read"] == ["country"]
    assert err.getvalue().count('Warning: the column "country" is not read.') == 1


def test_joined_files_create_no_participants(tenant, tmp_path):
    path = tmp_path / "06-events-joined-files.csv"
    path.write_bytes(
        b"\xef\xbb\xbfparticipant_id,event_name,timestamp\n"
        b"user_1,login,2026-02-14T10:00:00Z\n"
        b"\xef\xbb\xbfuser_1,login,2026-02-15T10:00:00Z\n"
    )

    report, output = backfill(str(path))

    assert report == {"lines": 2, "recorded": 1, "repeated": 0, "bad": 1}
    assert "line 3: begins with a byte order mark" in output
    assert list(Participant.objects.values_list("external_id", flat=True)) == ["user_1"]


@pytest.mark.parametrize("field", ["participant_id", "idempotency_key"])
@pytest.mark.parametrize("value", [" user_1", "user_1 ", "user_1\u00a0", "\u200buser_1", "user\ufeff_1"])
def test_an_id_that_looks_like_another_is_stored_and_reported(tenant, written, field, value):
    lines = [PURCHASE | {field: "user_1"}, PURCHASE | {field: value, "properties": {}}]

    out, err = io.StringIO(), io.StringIO()
    call_command("backfill_events", written(lines), "--tenant", "acme", "--json", stdout=out, stderr=err)

    report = json.loads(out.getvalue())
    assert (report["recorded"], report["suspicious"]) == (2, 1)
    assert f"Suspicious line 2: {field}: " in err.getvalue()
    if field == "participant_id":
        assert set(Participant.objects.values_list("external_id", flat=True)) == {"user_1", value}


def test_properties_in_csv_that_are_not_an_object_are_refused_with_the_reason(tenant, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text(
        "participant_id,event_name,timestamp,properties\n"
        'ada,buy,2026-02-14T10:00:00Z,"{""a"": 1, ""a"": 2}"\n'
        'ada,buy,2026-02-14T10:00:00Z,"{""a"": NaN}"\n'
        "ada,buy,2026-02-14T10:00:00Z,[1]\n"
    )

    report, output = backfill(str(path))

    assert report == {"lines": 3, "recorded": 0, "repeated": 0, "bad": 3}
    assert 'the key "a" appears more than once' in output
    assert "NaN is not a JSON number" in output
    assert "is not a JSON object" in output


def test_the_file_must_have_its_columns(tenant, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("participant_id,event_name\nada,login\n")

    with pytest.raises(CommandError, match="lacks timestamp"):
        backfill(str(path))
