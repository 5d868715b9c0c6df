"""The feed is complete and in order for whoever follows its cursor."""

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
from tests.gamify.webhooks.conftest import made_webhook

pytestmark = pytest.mark.django_db

ALL = FeedFilter()


def an_award(tenant: Tenant, participant_id: str = "user_1") -> None:
    award(tenant=tenant, change=Change(participant_id=participant_id, amount=10), now=timezone.now())


def page(tenant: Tenant, after: str | None = None, *, limit: int = 100, following: FeedFilter = ALL):
    return services.read_feed(tenant=tenant, following=following, after=after, limit=limit, now=timezone.now())


def test_what_was_answered_is_in_the_feed_at_once(tenant, admin_api):
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
    }
    assert (body["has_more"], body["next_cursor"]) == (False, "4")


def test_pages_put_together_are_everything_once(tenant):
    for number in range(13):
        an_award(tenant, f"user_{number}")

    seen, cursor, has_more = [], None, True
    while has_more:
        found = page(tenant, cursor, limit=4)
        seen += [event.pk for event in found.events]
        cursor, has_more = str(found.cursor), found.has_more

    assert seen == list(DomainEvent.objects.order_by("position").values_list("pk", flat=True))
    assert len(seen) == 26
    assert page(tenant, cursor).events == []


def test_a_cursor_at_the_end_stays_good(tenant):
    an_award(tenant)
    end = str(page(tenant).cursor)

    an_award(tenant)

    [event] = page(tenant, end).events
    assert event.type == "points.awarded"


def test_filters_by_type_and_by_participant(tenant, admin_api):
    for name in ("user_1", "user_2", "user_2"):
        an_award(tenant, name)

    awards = admin_api.get("/admin/feed?types=points.*").json()
    whose = admin_api.get("/admin/feed?types=points.awarded,badge.*&participant_id=user_2").json()
    nobody = admin_api.get("/admin/feed?participant_id=nobody").json()

    assert [event["type"] for event in awards["events"]] == ["points.awarded"] * 3
    assert [event["data"]["participant_id"] for event in whose["events"]] == ["user_2"] * 2
    assert nobody["events"] == []
    assert nobody["next_cursor"] == whose["next_cursor"] == "5"  # behind what was not wanted, too


def test_latest_is_what_comes_from_now_on(tenant, admin_api):
    an_award(tenant)

    body = admin_api.get("/admin/feed?after=latest").json()
    an_award(tenant)

    assert (body["events"], body["next_cursor"]) == ([], "2")
    assert len(admin_api.get(f"/admin/feed?after={body['next_cursor']}").json()["events"]) == 1


def test_nothing_of_another_tenant(tenant, other_admin_api, sandbox_api, other_tenant):
    an_award(tenant)

    assert other_admin_api.get("/admin/feed").json()["events"] == []
    assert page(tenant.sandbox).events == []


@pytest.mark.parametrize("path", ["/admin/feed", "/admin/feed/stream"])
def test_it_needs_the_admin_scope(api, path):
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
def test_what_is_not_understood_is_refused(admin_api, nothing_written, query, field):
    with nothing_written():
        response = admin_api.get(f"/admin/feed?{query}")

    assert refused_fields(response)[0] == field


def test_a_page_takes_few_questions_however_long_it_is(tenant, admin_api, queries):
    for number in range(30):
        an_award(tenant, f"user_{number}")
    admin_api.get("/admin/feed?limit=1")

    with queries(
        1 + 1 + 2 + 1
    ):  # key; is there anything to be placed; the head, for the cursor and the page; the events
        assert len(admin_api.get("/admin/feed?limit=50").json()["events"]) == 50


# --- writers that commit out of order -------------------------------------------------------------------------------


def test_what_commits_late_comes_late_and_is_not_skipped(tenant):
    """An id made first, and committed last: a reader who went by ids would never see it."""
    early = DomainEvent(tenant=tenant, type="points.awarded", data={"n": 1}, occurred_at=timezone.now())
    an_award(tenant)
    seen = page(tenant)

    early.save(force_insert=True)

    [late] = page(tenant, str(seen.cursor)).events
    assert late.pk == early.pk < min(event.pk for event in seen.events)


def write(tenant: Tenant, number: int, *, times: int, people: int) -> None:
    """Awards to people by chance, each with a pause between what is written and its commit."""
    chance = random.Random(number)
    for _ in range(times):
        with transaction.atomic():
            an_award(tenant, f"user_{chance.randrange(people)}")
            time.sleep(chance.random() * 0.01)
    connections.close_all()


def follow(tenant: Tenant, is_over: threading.Event, seen: list[DomainEvent]) -> None:
    """Page after page, until everybody has written and there is no more."""
    cursor, has_more = None, True
    while has_more:
        was_over = is_over.is_set()
        found = page(tenant, cursor, limit=7)
        seen.extend(found.events)
        cursor, has_more = str(found.cursor), found.has_more or not was_over
    connections.close_all()


def together(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_a_reader_misses_nothing_and_nobody_out_of_order_while_sixteen_write(tenant):
    people, times, writers = 5, 12, 16
    is_over, seen = threading.Event(), []
    reader = threading.Thread(target=follow, args=(tenant, is_over, seen))
    reader.start()

    given = {"times": times, "people": people}
    together(*(threading.Thread(target=write, args=(tenant, number), kwargs=given) for number in range(writers)))
    is_over.set()
    reader.join()

    assert len(seen) == len({event.pk for event in seen}) == DomainEvent.objects.count() == writers * times + people
    balances = defaultdict(list)
    for event in seen:
        if event.type == "points.awarded":
            balances[event.data["participant_id"]].append(event.data["new_balance"])
    assert all(found == sorted(found) for found in balances.values())  # each was committed behind the one before


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_two_who_give_positions_at_once_give_each_once(tenant):
    made_webhook(tenant, "http://127.0.0.1:1/", "points.*")
    for number in range(30):
        an_award(tenant, f"user_{number}")

    def give() -> None:
        services.assign_all_positions(now=timezone.now())
        connections.close_all()

    together(*(threading.Thread(target=give) for _ in range(6)))

    assert sorted(DomainEvent.objects.values_list("position", flat=True)) == list(range(1, 61))
    assert Delivery.objects.count() == 30
    assert FeedHead.objects.get().position == 60


# --- retention ------------------------------------------------------------------------------------------------------


def a_moment_later() -> datetime:
    """Ids have the time of the machine's clock, in milliseconds."""
    time.sleep(0.003)
    now = timezone.now()
    time.sleep(0.003)
    return now


def test_what_is_old_enough_goes_and_a_reader_who_would_miss_it_is_told(tenant, admin_api):
    an_award(tenant)
    cursor = str(page(tenant, limit=1).cursor)
    end_of_old = a_moment_later()
    an_award(tenant)
    services.assign_all_positions(now=timezone.now())

    assert list(services.prune_events(before=end_of_old)) == [2]

    assert refusal(admin_api.get(f"/admin/feed?after={cursor}"))[:2] == (410, "cursor_expired")
    assert [event["type"] for event in admin_api.get("/admin/feed").json()["events"]] == ["points.awarded"]
    assert admin_api.get("/admin/feed?after=2").status_code == 200


@pytest.mark.parametrize(("days", "events", "deliveries"), [(6, 2, 2), (8, 2, 0), (11, 0, 0)])
def test_every_night_what_is_older_than_the_settings_say_goes(tenant, settings, days, events, deliveries):
    settings.DELIVERY_RETENTION_DAYS, settings.EVENT_RETENTION_DAYS = 7, 10
    made_webhook(tenant, "http://127.0.0.1:1/")
    an_award(tenant)
    services.assign_all_positions(now=timezone.now())

    with time_machine.travel(timezone.now() + timedelta(days=days)):
        prune()

    assert (DomainEvent.objects.count(), Delivery.objects.count()) == (events, deliveries)


def test_what_has_no_position_yet_is_kept(tenant):
    an_award(tenant)

    assert list(services.prune_events(before=a_moment_later())) == []


def test_positions_go_on_where_they_were_when_everything_is_gone(tenant):
    an_award(tenant)
    services.assign_all_positions(now=timezone.now())
    assert list(services.prune_events(before=a_moment_later())) == [2]

    an_award(tenant)

    assert [event.position for event in page(tenant).events] == [3]


def test_pruning_goes_in_chunks(tenant, monkeypatch):
    monkeypatch.setattr("gamify.webhooks.services.retention.CHUNK", 2)
    for number in range(3):
        an_award(tenant, f"user_{number}")
    services.assign_all_positions(now=timezone.now())

    assert list(services.prune_events(before=a_moment_later())) == [2, 2, 2]
    assert FeedHead.objects.get().pruned_through == 6


def test_nothing_of_an_erased_participant_is_left_but_that_they_were_erased(tenant):
    an_award(tenant, "user_1")
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
    streaming._places.cache_clear()
    yield
    streaming._places.cache_clear()


def told(response) -> list[dict[str, str]]:
    """The messages of a stream, to its end."""
    text = b"".join(response.streaming_content).decode()
    return [dict(line.split(": ", 1) for line in part.split("\n")) for part in text.strip().split("\n\n")]


@pytest.mark.usefixtures("streams")
def test_a_stream_goes_on_behind_the_last_id(tenant, admin_api):
    an_award(tenant, "user_1")
    an_award(tenant, "user_2")

    begin, *events = told(admin_api.get("/admin/feed/stream?types=points.*", headers={"Last-Event-ID": "1"}))

    assert begin == {"retry": "1000", "id": "1"}
    assert [(event["id"], event["event"]) for event in events] == [("2", "points.awarded"), ("4", "points.awarded")]
    expected = admin_api.get("/admin/feed?types=points.*").json()["events"]
    assert [json.loads(event["data"]) for event in events] == expected


@pytest.mark.usefixtures("streams")
def test_a_stream_begins_now_and_tells_what_happens(tenant, admin_api):
    an_award(tenant)
    response = admin_api.get("/admin/feed/stream")
    assert response.headers["Content-Type"] == "text/event-stream"
    an_award(tenant)

    begin, event = told(response)

    assert begin["id"] == "2"
    assert (event["id"], event["event"]) == ("3", "points.awarded")


@pytest.mark.usefixtures("streams")
def test_a_stream_too_many_is_refused_until_one_ends(admin_api):
    first = admin_api.get("/admin/feed/stream")
    second = admin_api.get("/admin/feed/stream")
    assert refusal(second)[:2] == (503, "service_unavailable")
    assert second.headers["Retry-After"] == "5"

    told(first)

    assert told(admin_api.get("/admin/feed/stream"))


@pytest.mark.usefixtures("streams")
def test_a_stream_that_cannot_begin_takes_no_place(admin_api):
    assert refusal(admin_api.get("/admin/feed/stream", headers={"Last-Event-ID": "x"}))[0] == 422
    assert refusal(admin_api.get("/admin/feed/stream?types=nope"))[0] == 422

    assert told(admin_api.get("/admin/feed/stream"))


@pytest.mark.usefixtures("streams")
def test_a_quiet_stream_says_how_far_it_has_come(tenant, admin_api, monkeypatch):
    monkeypatch.setattr(streaming, "HEARTBEAT_SECONDS", 0.1)
    response = admin_api.get("/admin/feed/stream?types=badge.*")
    an_award(tenant)

    messages = told(response)

    assert messages[-1]["id"] == "2"
    assert "data" not in messages[-1]


# --- the command ----------------------------------------------------------------------------------------------------


def listened(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("listen", "--tenant", "acme", "--once", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_prints_what_happened(tenant):
    an_award(tenant, "user_1")
    an_award(tenant, "user_2")

    assert listened() == []
    assert len(listened("--after", "oldest")) == 4
    [line] = listened("--after", "oldest", "--types", "points.*", "--participant", "user_2")
    assert "points.awarded" in line
    assert 'participant_id="user_2"' in line


def test_the_command_prints_json_with_cursors(tenant):
    an_award(tenant)

    lines = [json.loads(line) for line in listened("--after", "oldest", "--json")]

    assert [(line["cursor"], line["type"]) for line in lines] == [("1", "participant.created"), ("2", "points.awarded")]
    [rest] = listened("--after", lines[0]["cursor"], "--json")
    assert json.loads(rest) == lines[1]


def test_the_command_keeps_nothing_back_from_who_reads_it_through_a_pipe(tenant):
    an_award(tenant)

    class Pipe(StringIO):
        read = ""

        def flush(self):
            self.read = self.getvalue()

    pipe = Pipe()
    call_command("listen", tenant="acme", after="oldest", idempotency=True, stdout=pipe)

    assert "points.awarded" in pipe.read


@pytest.mark.parametrize("arguments", [["--after", "x"], ["--types", "nope"], ["--tenant", "nobody"]])
def test_the_command_says_what_is_wrong(tenant, arguments):
    with pytest.raises(CommandError):
        listened(*arguments)
