"""The command that brings in a history of events."""

import io
import json
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.core.management import CommandError, call_command

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Grant, Source
from gamify.facts.management.commands import backfill_events
from gamify.facts.models import Event
from gamify.facts.services import Consumer, emit, emit_batch, record_history
from gamify.points.models import LedgerEntry
from participants.management.imports import ordering
from participants.models import DomainEvent, FileImport, IdempotencyKey, Participant
from streaks.models import ParticipantStreak
from streaks.services import create_streak
from tests.factories import TierFactory

BEGIN = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CHEAP = {"type": "points", "field": "amount"}
heard = []


def _consume(fact, work, *, now):
    heard.append((fact.participant.external_id, fact.name, fact.at))
    if fact.name == "buy":
        yield Grant("points", CHEAP, Source("rule", "spend"), f"{fact.key}/0")


LISTENER = Consumer(loads=lambda catalog, events: [], consume=_consume)


@pytest.fixture(autouse=True)
def one_rule(settings):
    heard.clear()
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


def as_event(said):
    at = datetime.fromisoformat(said["timestamp"])
    return EventInput(said["participant_id"], said["event_name"], at, said["properties"], said["idempotency_key"])


def forget(*models):
    for model in (Event, LedgerEntry, ParticipantStreak, DomainEvent, IdempotencyKey, *models):
        model.objects.all().delete()
    Participant.objects.all().delete()


@pytest.mark.parametrize("batch", ["1", "3", "1000"])
def test_a_history_leads_to_what_it_would_have_call_by_call(tenant, written, batch):
    daily(tenant)
    lines = history()
    for each in lines:
        emit(tenant=tenant, event=as_event(each), now=datetime.now(UTC))
    one_by_one = outcome()
    forget()

    report, _ = backfill(written(Random(1).sample(lines, len(lines))), "--batch", batch)

    assert report == {"lines": 16, "recorded": 16, "repeated": 0, "bad": 0}
    assert outcome() == one_by_one


def test_events_are_heard_in_the_order_in_which_they_happened(tenant, written, monkeypatch):
    monkeypatch.setattr(ordering, "LINES_IN_MEMORY", 3)
    lines = history()

    backfill(written(Random(2).sample(lines, len(lines))), "--batch", "2")

    times = [at for _, _, at in heard]
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


def test_twice_is_once_whatever_the_file(tenant, written):
    lines = history(people=("ada",))
    backfill(written(lines))
    before = outcome()

    again, _ = backfill(written(lines), "--restart")
    other, _ = backfill(written([*lines, line("ada", "login", BEGIN + 9 * DAY)], "more.ndjson"))

    assert again == {"lines": 8, "recorded": 0, "repeated": 8, "bad": 0}
    assert other == {"lines": 9, "recorded": 1, "repeated": 8, "bad": 0}
    assert outcome()[3] == before[3]


def test_a_key_is_that_of_the_call(tenant, written):
    emit_batch(
        tenant=tenant, events=[EventInput("ada", "buy", BEGIN, {"amount": 5}, "k")], refused={}, now=datetime.now(UTC)
    )

    report, told = backfill(
        written([line("ada", "buy", BEGIN, "k", amount=5), line("ada", "sell", BEGIN, "k", amount=5)])
    )

    assert report == {"lines": 2, "recorded": 0, "repeated": 1, "bad": 1}
    assert "line 2: " in told


def test_a_bad_line_is_reported_by_where_it_stands_and_stops_nothing(tenant, written):
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

    report, told = backfill(written(lines))

    assert report == {"lines": 15, "recorded": 2, "repeated": 0, "bad": 13}
    numbers = [int(each.split(":")[0].removeprefix("line ")) for each in told.splitlines() if each.startswith("line ")]
    assert sorted(numbers) == list(range(2, 15))
    assert "properties: a: Must not contain NUL characters." in told


def test_no_field_of_a_line_is_taken_for_a_word_of_ours(tenant, written):
    odd = {**line("ada", "login", BEGIN), "\x00problem": "is bad", "\x00line": 77}

    report, told = backfill(written([line("ada", "login", BEGIN + DAY), odd, "{"]))

    assert report == {"lines": 3, "recorded": 2, "repeated": 0, "bad": 1}
    assert "line 3: " in told


def test_it_is_silent_unless_told_otherwise(tenant, written):
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


def test_nobody_was_here_but_when_the_history_says(tenant, written):
    emit(tenant=tenant, event=EventInput("bo", "login", BEGIN + 90 * DAY), now=BEGIN + 90 * DAY)

    backfill(written(history()))

    seen = dict(Participant.objects.values_list("external_id", "last_seen_at"))
    first = Participant.objects.get(external_id="ada").first_seen_at
    assert first == BEGIN + timedelta(hours=1)
    assert seen == {"ada": BEGIN + 3 * DAY + timedelta(hours=2), "bo": BEGIN + 90 * DAY}


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tenant, written):
    TierFactory(tenant=tenant)

    report, _ = backfill(written(history()), "--dry-run")

    assert report == {"lines": 16, "recorded": 16, "repeated": 0, "bad": 0}
    assert not Participant.objects.exists()
    assert not Event.objects.exists()
    assert not FileImport.objects.exists()


def test_stopped_in_the_middle_it_goes_on_in_the_same_order(tenant, written, monkeypatch):
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
    report, told = backfill(path, "--batch", "3")

    assert report == {"lines": 10, "recorded": 10, "repeated": 0, "bad": 0}
    assert "Going on behind line 6" in told
    assert [at for _, _, at in heard] == sorted(at for _, _, at in heard)
    assert Event.objects.count() == 16


def test_another_tenant_has_its_own(tenant, other_tenant, written):
    path = written(history(days=1))

    for slug in ("acme", "globex"):
        assert backfill(path, tenant=slug)[0]["recorded"] == 4

    assert Event.objects.filter(tenant=other_tenant).count() == 4


def test_the_file_must_have_its_columns(tenant, tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("participant_id,event_name\nada,login\n")

    with pytest.raises(CommandError, match="lacks timestamp"):
        backfill(str(path))
