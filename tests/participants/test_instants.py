"""All inputs share one parser of instants: bodies, queries, CSV and NDJSON files, commands, and fields of the console."""

import csv
import io
import json
from datetime import UTC, date, datetime
from urllib.parse import quote

import pytest
import time_machine
from django import forms
from django.core.management import CommandError, call_command

from gamify.facts.models import Event
from participants.admin.fields import DayField, MomentField, SplitMomentField
from participants.engine import day_of, instant_of
from participants.models import ApiKey
from tests.client import refused_fields
from tests.factories import ParticipantFactory
from tests.gamify_project.test_schema import document
from tests.instants import INSTANTS, NO_INSTANTS

NOW = datetime(2026, 2, 20, tzinfo=UTC)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
WITHOUT_SECONDS = "2026-02-14T10:00"  # sent by datetime inputs of browsers; only the console accepts it


@pytest.fixture
def february():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.mark.engine
def test_the_table_has_many_spellings():
    assert len(INSTANTS) + len(NO_INSTANTS) >= 40


@pytest.mark.engine
@pytest.mark.parametrize(("text", "at"), INSTANTS.items())
def test_the_parser_accepts_dates_and_times_of_rfc_3339(text, at):
    assert instant_of(text) == at


@pytest.mark.engine
@pytest.mark.parametrize("text", [*NO_INSTANTS, WITHOUT_SECONDS, "", " 2026-02-14T10:00:00Z", "2026-02-14T10:00:00Z\n"])
def test_the_parser_refuses_everything_else(text):
    assert instant_of(text) is None


@pytest.mark.engine
@pytest.mark.parametrize(("text", "day"), [
    ("2026-02-14", date(2026, 2, 14)),
    ("2024-02-29", date(2024, 2, 29)),
    *[(text, None) for text in ("2026-W07-6", "20260214", "2026-2-14", "2026-02-30", "２０２６-02-14", "2026-02-14 ")],  # noqa: RUF001
])  # fmt: skip
def test_a_day_is_year_month_and_day_with_hyphens(text, day):
    assert day_of(text) == day


def test_a_body_accepts_instants_and_refuses_everything_else(api, february, nothing_written):
    def send(text):
        return api.post("/events", {"participant_id": "user_42", "event_name": "login", "timestamp": text})

    for text, at in INSTANTS.items():
        event_id = send(text).json()["event_id"]
        assert Event.objects.get(pk=event_id).occurred_at == at, text
    with nothing_written():
        assert {
            text for text in [*NO_INSTANTS, WITHOUT_SECONDS] if refused_fields(send(text)) != ["timestamp"]
        } == set()
        assert "such as 2026-02-14T10:00:00Z" in send("tomorrow").json()["detail"]


def test_a_query_accepts_instants_and_refuses_everything_else(api, tenant, february):
    ParticipantFactory(tenant=tenant, external_id="user_42")

    def ask(text):
        return api.get(f"/participants/user_42/points?at={quote(text)}")

    for text, at in INSTANTS.items():
        assert instant_of(ask(text).json()["at"]) == at, text
    assert {text for text in [*NO_INSTANTS, WITHOUT_SECONDS] if refused_fields(ask(text)) != ["at"]} == set()


def test_the_phoenix_dialect_has_no_instants():
    """So it needs no table here. If it gets an instant, tests/gamify_project/test_types_api.py checks what it accepts."""
    asked = [
        [*operation.get("parameters", []), operation.get("requestBody", {})]
        for path, methods in document()["paths"].items()
        if path.startswith("/v1/")
        for operation in methods.values()
    ]

    assert "date-time" not in json.dumps([each for each in asked if each], default=str)


def rows(texts):
    return [
        {"participant_id": "user_42", "event_name": "login", "timestamp": text, "idempotency_key": str(number)}
        for number, text in enumerate(texts)
    ]


def write_csv(path, lines):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def write_ndjson(path, lines):
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


@pytest.mark.parametrize(("name", "write"), [("events.csv", write_csv), ("events.ndjson", write_ndjson)])
def test_a_file_accepts_instants_and_refuses_everything_else(tenant, february, tmp_path, name, write):
    write(tmp_path / name, rows([*INSTANTS, *NO_INSTANTS, WITHOUT_SECONDS]))
    out = io.StringIO()

    call_command("backfill_events", tmp_path / name, "--tenant=acme", "--json", stdout=out, stderr=io.StringIO())

    report = json.loads(out.getvalue())
    assert (report["recorded"], report["bad"]) == (len(INSTANTS), len(NO_INSTANTS) + 1)
    assert sorted(Event.objects.values_list("occurred_at", flat=True)) == sorted(INSTANTS.values())


def test_a_command_accepts_instants_and_refuses_everything_else(tenant):
    def run(text):
        call_command("create_api_key", "--tenant", "acme", f"--expires-at={text}", "--json", stdout=io.StringIO())

    with time_machine.travel(BEFORE, tick=False):
        for text in INSTANTS:
            run(text)
        for text in [*NO_INSTANTS, WITHOUT_SECONDS]:
            with pytest.raises(CommandError, match="expires_at: Must be a date and a time"):
                run(text)

    assert sorted(ApiKey.objects.values_list("expires_at", flat=True)) == sorted(INSTANTS.values())


def is_refused(field, value):
    try:
        field.clean(value)
    except forms.ValidationError:
        return True
    return False


@pytest.mark.parametrize(("text", "at"), [*INSTANTS.items(), (WITHOUT_SECONDS, datetime(2026, 2, 14, 10, tzinfo=UTC))])
def test_a_moment_in_the_console_accepts_instants(text, at):
    assert MomentField().clean(text) == at


def test_a_moment_in_the_console_refuses_everything_else():
    assert [text for text in NO_INSTANTS if not is_refused(MomentField(), text)] == []


@pytest.mark.parametrize(("day", "time", "at"), [
    ("2026-02-14", "10:00:00", datetime(2026, 2, 14, 10, tzinfo=UTC)),
    ("2026-02-14", "10:00", datetime(2026, 2, 14, 10, tzinfo=UTC)),
    ("", "", None),
])  # fmt: skip
def test_a_moment_in_two_boxes_accepts_a_day_and_a_time(day, time, at):
    assert SplitMomentField(label="From", help_text="").clean([day, time]) == at


@pytest.mark.parametrize(("day", "time"), [
    ("20260214", "10:00:00"), ("2026-W07-6", "10:00:00"), ("02/14/2026", "10:00:00"), ("2026-2-14", "10:00:00"),
    ("２０２６-02-14", "10:00:00"), ("2026-02-14", "１０:00:00"), ("2026-02-14", "9:00"), ("2026-02-14", "10"),  # noqa: RUF001
    ("2026-02-14", "25:00:00"), ("2026-02-14", "10:00:00,5"), ("2026-02-30", "10:00:00"), ("2026-02-14", ""),
])  # fmt: skip
def test_a_moment_in_two_boxes_refuses_everything_else(day, time):
    assert is_refused(SplitMomentField(label="From", help_text=""), [day, time])


@pytest.mark.parametrize(
    "text", ["20260214", "2026-W07-6", "02/14/2026", "\uff12026-02-14", "2026-02-30", "Feb 14 2026"]
)
def test_a_day_in_the_console_is_year_month_and_day_with_hyphens(text):
    assert DayField().clean("2026-02-14") == date(2026, 2, 14)
    assert is_refused(DayField(), text)


@pytest.mark.parametrize("text", ["1_0", "１0", "1.5", "-1", " 7", ""])  # noqa: RUF001
def test_a_number_of_a_command_is_ascii_digits(tenant, text):
    with pytest.raises(CommandError, match="must be a whole number"):
        call_command("create_api_key", "--tenant", "acme", f"--expires-in-days={text}", "--json")
