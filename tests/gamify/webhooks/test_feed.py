"""The feed is complete and in order for a reader that follows its cursor."""

import json
import random
import threading
import time
from collections import defaultdict
from datetime import datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.utils import timezone

from gamify.points.services import Change, award
from gamify.webhooks import services
from gamify.webhooks.api import streaming
from gamify.webhooks.models import Delivery, FeedHead
from gamify.webhooks.selectors.feed import FeedFilter
from gamify.webhooks.tasks import prune
from participants.models import DomainEvent, Tenant
from participants.services import participants
from tests.client import refusal, refused_fields
from tests.gamify.webhooks.conftest import create_webhook

pytestmark = pytest.mark.django_db

ALL = FeedFilter()


def award_points(tenant: Tenant, participant_id: str = "user_1") -> None:
    award(tenant=tenant, change=Change(participant_id=participant_id, amount=10), now=timezone.now())


def page(tenant: Tenant, after: str | None = None, *, limit: int = 100, feed_filter: FeedFilter = ALL):
    return services.read_feed(tenant=tenant, feed_filter=feed_filter, after=after, limit=limit, now=timezone.now())


def test_answered_changes_are_in_the_feed_at_once(tenant, admin_api):
    for name in ("user_1", "user_2"):
        admin_api.post("/points/award", {"participant_id": name, "amount": 5})

    body = admin_api.get("/admin/feed").json()

    assert [(event["type"], event["data"]["participant_id"]) for event in body["events"]] == [
        ("participant.created", "user_1"),
        ("points.awarded", "user_1"),
        ("participant.created", "user_2"),
        ("points.awarded", "user_2"),
    ]
    event = DomainEvent.objects.get(type="points.awarded", data__participant_id="user_2")
    assert body["events"][-1] == {
        "id": str(event.pk),
        "type": "points.awarded",
        "occurred_at": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "tenant_id": str(tenant.pk),
        "data": event.data,
        "actor": event.actor_json,
        "request_id": event.request_id,
    }
    assert body["events"][-1]["actor"]["kind"] == "api_key"
    assert (body["has_more"], body["next_cursor"]) == (False, "4")


def test_the_pages_contain_every_event_once(tenant):
    for number in range(13):
        award_points(tenant, f"user_{number}")

    seen, cursor, has_more = [], None, True
    while has_more:
        found = page(tenant, cursor, limit=4)
        seen += [event.pk for event in found.events]
        cursor, has_more = str(found.cursor), found.has_more

    assert seen == list(DomainEvent.objects.order_by("position").values_list("pk", flat=True))
    assert len(seen) == 26
    assert page(tenant, cursor).events == []


def test_a_cursor_at_the_end_stays_valid(tenant):
    award_points(tenant)
    end = str(page(tenant).cursor)

    award_points(tenant)

    [event] = page(tenant, end).events
    assert event.type == "points.awarded"


def test_filters_by_type_and_by_participant(tenant, admin_api):
    for name in ("user_1", "user_2", "user_2"):
        award_points(tenant, name)

    awards = admin_api.get("/admin/feed?types=points.*").json()
    whose = admin_api.get("/admin/feed?types=points.awarded,badge.*&participant_id=user_2").json()
    nobody = admin_api.get("/admin/feed?participant_id=nobody").json()

    assert [event["type"] for event in awards["events"]] == ["points.awarded"] * 3
    assert [event["data"]["participant_id"] for event in whose["events"]] == ["user_2"] * 2
    assert nobody["events"] == []
    assert nobody["next_cursor"] == whose["next_cursor"] == "5"  # also after events that the filter excluded


def test_latest_starts_with_events_from_now_on(tenant, admin_api):
    award_points(tenant)

    body = admin_api.get("/admin/feed?after=latest").json()
    award_points(tenant)

    assert (body["events"], body["next_cursor"]) == ([], "2")
    assert len(admin_api.get(f"/admin/feed?after={body['next_cursor']}").json()["events"]) == 1


def test_the_feed_has_no_events_of_another_tenant(tenant, other_admin_api, sandbox_api, other_tenant):
    award_points(tenant)

    assert other_admin_api.get("/admin/feed").json()["events"] == []
    assert page(tenant.sandbox).events == []


@pytest.mark.parametrize("path", ["/admin/feed", "/admin/feed/stream"])
def test_the_feed_needs_the_admin_scope(api, path):
    assert refusal(api.get(path))[0] == 403


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "after"), ("after=-1", "after"), ("after=1.5", "after"), ("after=999", "after"),
        ("after=٣", "after"), (f"after={'9' * 21}", "after"), (f"after={'9' * 20}", "after"), ("types=nope.*", "types"),
        ("types=*.x", "types"), ("limit=0", "limit"), ("limit=1001", "limit"), ("limit=x", "limit"),
        ("participant_id=%00", "participant_id"),
    ],
)  # fmt: skip
def test_invalid_queries_are_refused(admin_api, nothing_written, query, field):
    with nothing_written():
        response = admin_api.get(f"/admin/feed?{query}")

    assert refused_fields(response)[0] == field


def test_a_page_takes_few_queries_whatever_its_length(tenant, admin_api, queries):
    for number in range(30):
        award_points(tenant, f"user_{number}")
    admin_api.get("/admin/feed?limit=1")

    with queries(1 + 1 + 2 + 1):  # key; events without a position; the head, for the cursor and the page; the events
        assert len(admin_api.get("/admin/feed?limit=50").json()["events"]) == 50


# --- writers that commit out of order -------------------------------------------------------------------------------


def test_events_that_commit_late_come_late_and_are_not_skipped(tenant):
    """An id that was made first and committed last: a reader that follows ids would skip it."""
    early = DomainEvent(tenant=tenant, type="points.awarded", data={"n": 1}, occurred_at=timezone.now())
    award_points(tenant)
    seen = page(tenant)

    early.save(force_insert=True)

    [late] = page(tenant, str(seen.cursor)).events
    assert late.pk == early.pk < min(event.pk for event in seen.events)


def write(tenant: Tenant, number: int, *, times: int, people: int) -> None:
    """Award points to random participants, with a pause between each write and its commit."""
    chance = random.Random(number)
    for _ in range(times):
        with transaction.atomic():
            award_points(tenant, f"user_{chance.randrange(people)}")
            time.sleep(chance.random() * 0.01)
    connections.close_all()


def follow(tenant: Tenant, is_over: threading.Event, seen: list[DomainEvent]) -> None:
    """Read page after page until all writers have ended and there are no more events."""
    cursor, has_more = None, True
    while has_more:
        was_over = is_over.is_set()
        found = page(tenant, cursor, limit=7)
        seen.extend(found.events)
        cursor, has_more = str(found.cursor), found.has_more or not was_over
    connections.close_all()


def run_together(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_a_reader_gets_everything_in_order_while_sixteen_write(tenant):
    people, times, writers = 5, 12, 16
    is_over, seen = threading.Event(), []
    reader = threading.Thread(target=follow, args=(tenant, is_over, seen))
    reader.start()

    given = {"times": times, "people": people}
    run_together(*(threading.Thread(target=write, args=(tenant, number), kwargs=given) for number in range(writers)))
    is_over.set()
    reader.join()

    assert len(seen) == len({event.pk for event in seen}) == DomainEvent.objects.count() == writers * times + people
    balances = defaultdict(list)
    for event in seen:
        if event.type == "points.awarded":
            balances[event.data["participant_id"]].append(event.data["new_balance"])
    assert all(found == sorted(found) for found in balances.values())  # each was committed after the one before


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_two_concurrent_workers_assign_each_position_once(tenant):
    create_webhook(tenant, "http://127.0.0.1:1/", "points.*")
    for number in range(30):
        award_points(tenant, f"user_{number}")

    def give() -> None:
        services.assign_all_positions(now=timezone.now())
        connections.close_all()

    run_together(*(threading.Thread(target=give) for _ in range(6)))

    assert sorted(DomainEvent.objects.values_list("position", flat=True)) == list(range(1, 61))
    assert Delivery.objects.count() == 30
    assert FeedHead.objects.get().position == 60


# --- retention ------------------------------------------------------------------------------------------------------


def a_moment_later() -> datetime:
    """Wait for a later millisecond: ids contain the time of this machine in milliseconds."""
    time.sleep(0.003)
    now = timezone.now()
    time.sleep(0.003)
    return now


def test_old_events_are_removed_and_an_older_cursor_expires(tenant, admin_api):
    award_points(tenant)
    cursor = str(page(tenant, limit=1).cursor)
    end_of_old = a_moment_later()
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())

    assert services.prune_events(before=end_of_old) == 2

    assert refusal(admin_api.get(f"/admin/feed?after={cursor}"))[:2] == (410, "cursor_expired")
    assert [event["type"] for event in admin_api.get("/admin/feed").json()["events"]] == ["points.awarded"]
    assert admin_api.get("/admin/feed?after=2").status_code == 200


@pytest.mark.parametrize(("days", "events", "deliveries"), [(6, 2, 2), (8, 2, 0), (11, 0, 0)])
def test_the_nightly_task_removes_what_is_older_than_the_settings_allow(tenant, settings, days, events, deliveries):
    settings.DELIVERY_RETENTION_DAYS, settings.EVENT_RETENTION_DAYS = 7, 10
    create_webhook(tenant, "http://127.0.0.1:1/")
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())

    with time_machine.travel(timezone.now() + timedelta(days=days)):
        prune()

    assert (DomainEvent.objects.count(), Delivery.objects.count()) == (events, deliveries)


def test_events_without_a_position_are_not_removed(tenant):
    award_points(tenant)

    assert services.prune_events(before=a_moment_later()) == 0


def test_positions_continue_after_all_events_were_removed(tenant):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    assert services.prune_events(before=a_moment_later()) == 2

    award_points(tenant)

    assert [event.position for event in page(tenant).events] == [3]


def test_pruning_runs_in_chunks(tenant, monkeypatch):
    monkeypatch.setattr("gamify.webhooks.services.retention.CHUNK", 2)
    for number in range(3):
        award_points(tenant, f"user_{number}")
    services.assign_all_positions(now=timezone.now())

    assert [services.prune_events(before=a_moment_later()) for _ in range(4)] == [2, 2, 2, 0]
    assert FeedHead.objects.get().pruned_through == 6


def test_only_the_erasure_of_an_erased_participant_remains(tenant):
    award_points(tenant, "user_1")
    end = str(page(tenant).cursor)
    participants.delete(tenant=tenant, external_id="user_1", now=timezone.now())

    assert [event.type for event in page(tenant).events] == ["participant.deleted"]
    assert [event.type for event in page(tenant, end).events] == ["participant.deleted"]


# --- the stream -----------------------------------------------------------------------------------------------------


@pytest.fixture
def streams(settings, monkeypatch):
    settings.FEED_STREAMS = 1
    settings.FEED_STREAM_SECONDS = 0.3
    monkeypatch.setattr(streaming, "POLL_SECONDS", 0.05)
    streaming._slots.cache_clear()
    yield
    streaming._slots.cache_clear()


def messages_of(response) -> list[dict[str, str]]:
    """Return all messages of a stream."""
    text = b"".join(response.streaming_content).decode()
    return [dict(line.split(": ", 1) for line in part.split("\n")) for part in text.strip().split("\n\n")]


@pytest.mark.usefixtures("streams")
def test_a_stream_continues_after_the_last_id(tenant, admin_api):
    award_points(tenant, "user_1")
    award_points(tenant, "user_2")

    begin, *events = messages_of(admin_api.get("/admin/feed/stream?types=points.*", headers={"Last-Event-ID": "1"}))

    assert begin == {"retry": "1000", "id": "1"}
    assert [(event["id"], event["event"]) for event in events] == [("2", "points.awarded"), ("4", "points.awarded")]
    expected = admin_api.get("/admin/feed?types=points.*").json()["events"]
    assert [json.loads(event["data"]) for event in events] == expected


@pytest.mark.usefixtures("streams")
def test_a_stream_starts_now_and_sends_new_events(tenant, admin_api):
    award_points(tenant)
    response = admin_api.get("/admin/feed/stream")
    assert response.headers["Content-Type"] == "text/event-stream"
    award_points(tenant)

    begin, event = messages_of(response)

    assert begin["id"] == "2"
    assert (event["id"], event["event"]) == ("3", "points.awarded")


@pytest.mark.usefixtures("streams")
def test_a_stream_over_the_limit_is_refused_until_one_ends(admin_api):
    first = admin_api.get("/admin/feed/stream")
    second = admin_api.get("/admin/feed/stream")
    assert refusal(second)[:2] == (503, "service_unavailable")
    assert second.headers["Retry-After"] == "5"

    messages_of(first)

    assert messages_of(admin_api.get("/admin/feed/stream"))


@pytest.mark.usefixtures("streams")
def test_a_stream_that_fails_to_start_uses_no_slot(admin_api):
    assert refusal(admin_api.get("/admin/feed/stream", headers={"Last-Event-ID": "x"}))[0] == 422
    assert refusal(admin_api.get("/admin/feed/stream?types=nope"))[0] == 422

    assert messages_of(admin_api.get("/admin/feed/stream"))


@pytest.mark.usefixtures("streams")
def test_a_quiet_stream_sends_its_position(tenant, admin_api, monkeypatch):
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.1)
    response = admin_api.get("/admin/feed/stream?types=badge.*")
    award_points(tenant)

    messages = messages_of(response)

    assert messages[-1]["id"] == "2"
    assert "data" not in messages[-1]


# --- the command ----------------------------------------------------------------------------------------------------


def run_listen(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("listen", "--tenant", "acme", "--once", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_prints_events(tenant):
    award_points(tenant, "user_1")
    award_points(tenant, "user_2")

    assert run_listen() == []
    assert len(run_listen("--after", "oldest")) == 4
    [line] = run_listen("--after", "oldest", "--types", "points.*", "--participant", "user_2")
    assert "points.awarded" in line
    assert 'participant_id="user_2"' in line


def test_the_command_prints_json_with_cursors(tenant):
    award_points(tenant)

    lines = [json.loads(line) for line in run_listen("--after", "oldest", "--json")]

    assert [(line["cursor"], line["type"]) for line in lines] == [("1", "participant.created"), ("2", "points.awarded")]
    [rest] = run_listen("--after", lines[0]["cursor"], "--json")
    assert json.loads(rest) == lines[1]


def test_the_command_flushes_its_output_for_pipes(tenant):
    award_points(tenant)

    class Pipe(StringIO):
        read = ""

        def flush(self):
            self.read = self.getvalue()

    pipe = Pipe()
    call_command("listen", tenant="acme", after="oldest", once=True, stdout=pipe)

    assert "points.awarded" in pipe.read


@pytest.mark.parametrize("arguments", [["--after", "x"], ["--types", "nope"], ["--tenant", "nobody"]])
def test_the_command_reports_errors(tenant, arguments):
    with pytest.raises(CommandError):
        run_listen(*arguments)
