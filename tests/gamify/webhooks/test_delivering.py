"""Deliveries over real HTTP, by the loop that a worker runs."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import Webhook

from gamify.points.services import Change, award
from gamify.webhooks import services
from gamify.webhooks.models import Delivery, DeliveryStatus, Endpoint
from gamify.webhooks.services import claiming, queues
from gamify.webhooks.services.recording import ClaimResult, record
from gamify.webhooks.services.sending import Post, Try, send
from participants.models import DomainEvent, Tenant
from participants.services import participants
from streaks.services import create_streak
from streaks.services import record as record_tick
from tests.gamify.webhooks.conftest import create_webhook
from tests.receivers import HANG, RESET, Answer, receiving

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


def award_points(tenant: Tenant, participant_id: str = "user_1", amount: int = 10) -> None:
    award(tenant=tenant, change=Change(participant_id=participant_id, amount=amount), now=timezone.now())


def deliver_all(*, at: datetime | None = None) -> None:
    """Deliver everything that is due, now or at the given time."""
    if at is None:
        services.deliver_due()
        return
    with time_machine.travel(at, tick=True):
        services.deliver_due()


def only_delivery(**of: Any) -> Delivery:
    return Delivery.objects.get(type="points.awarded", **of)


def make_due() -> None:
    Delivery.objects.exclude(due_at=None).update(due_at=timezone.now() - timedelta(seconds=1))


def test_events_arrive_signed(tenant, webhook, receiver):
    award_points(tenant)

    deliver_all()

    created, awarded = sorted(receiver.received, key=lambda request: request.headers["webhook-id"])
    event = DomainEvent.objects.get(type="points.awarded")
    assert Webhook(webhook.secret).verify(awarded.body, awarded.headers) == {
        "id": str(event.pk),
        "type": "points.awarded",
        "occurred_at": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "tenant_id": str(tenant.pk),
        "data": event.data,
        "actor": event.actor_json,
        "request_id": event.request_id,
    }
    assert awarded.headers["webhook-id"] == str(event.pk)
    assert awarded.headers["webhook-schema-version"] == "1"
    assert awarded.headers["content-type"] == "application/json"
    assert Webhook(webhook.secret).verify(created.body, created.headers)["type"] == "participant.created"
    delivery = only_delivery()
    assert (delivery.status, delivery.tries, delivery.due_at, delivery.lease) == ("succeeded", 1, None, None)
    [(_, status, milliseconds, error)] = delivery.log
    assert (status, error) == (204, None)
    assert 0 <= milliseconds < 500


def test_streak_events_have_the_payload_of_the_specification(tenant, receiver):
    create_webhook(tenant, receiver.url, "streak.*")
    data = {"code": "daily", "name": "Daily", "event_types": ["login"]}
    streak = create_streak(tenant=tenant, data=data, now=timezone.now())
    tenant.refresh_from_db()

    record_tick(tenant=tenant, participant_id="user_1", streak_code="daily", at=timezone.now(), now=timezone.now())
    deliver_all()

    [request] = receiver.received
    data = json.loads(request.body)["data"]
    assert (data["user_id"], data["definition_id"], data["new_count"]) == ("user_1", str(streak.pk), 1)


def test_only_subscribed_events_are_delivered(tenant, receiver):
    create_webhook(tenant, receiver.url, "badge.*", "points.awarded")

    award_points(tenant)
    deliver_all()

    assert list(Delivery.objects.values_list("type", flat=True)) == ["points.awarded"]


def test_nothing_crosses_a_tenant(tenant, other_tenant, webhook, receiver):
    award_points(other_tenant)
    deliver_all()

    assert receiver.received == []
    assert DomainEvent.objects.filter(position=None).count() == 0


def test_every_change_is_delivered_once(tenant, webhook, receiver):
    for number in range(120):
        award_points(tenant, f"user_{number % 7}")

    deliver_all()
    deliver_all()

    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert len(ids) == len(set(ids)) == 120 + 7


def test_an_inactive_endpoint_gets_nothing(tenant, webhook, receiver):
    services.update_endpoint(webhook.endpoint, changes={"is_active": False}, now=timezone.now())

    award_points(tenant)
    deliver_all()

    assert receiver.received == []
    assert not Delivery.objects.exists()


def test_pending_deliveries_continue_when_the_endpoint_is_active_again(tenant, webhook, receiver):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    services.update_endpoint(webhook.endpoint, changes={"is_active": False}, now=timezone.now())
    deliver_all()
    assert receiver.received == []

    services.update_endpoint(webhook.endpoint, changes={"is_active": True}, now=timezone.now())
    deliver_all()

    assert len(receiver.received) == 2


# --- failures -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (Answer(500), 500, "answered 500"),
        (Answer(404), 404, "answered 404"),
        (Answer(301, {"Location": "http://127.0.0.1:1/"}), 301, "answered 301"),
        (Answer(302, {"Location": "/elsewhere"}), 302, "answered 302"),
        (HANG, None, "no answer within 0.5 s"),
        (RESET, None, ...),
    ],
)
def test_a_failed_delivery_is_tried_again_later(tenant, receiver, answer, status, error):
    create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: answer
    award_points(tenant)

    deliver_all()

    delivery = only_delivery()
    [(_, answered, _, reason)] = delivery.log
    assert (delivery.status, delivery.tries, delivery.lease, answered) == ("pending", 1, None, status)
    assert reason if error is ... else reason == error
    assert timedelta(seconds=3) < delivery.due_at - timezone.now() < timedelta(seconds=6.1)
    assert len(receiver.received) == 1


def test_every_try_has_the_same_id_and_its_own_time(tenant, receiver):
    created = create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: Answer(503 if len(receiver.received) < 3 else 200)
    award_points(tenant)

    for hours in (0, 1, 2):
        deliver_all(at=timezone.now() + timedelta(hours=hours))

    first, second, third = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == third.headers["webhook-id"]
    times = [int(request.headers["webhook-timestamp"]) for request in receiver.received]
    assert times[1] - times[0] == pytest.approx(3600, abs=3)
    assert times[2] - times[1] == pytest.approx(3600, abs=3)
    Webhook(created.secret).verify(first.body, first.headers)
    assert len({request.headers["webhook-signature"] for request in receiver.received}) == 3
    assert [entry[1] for entry in only_delivery().log] == [503, 503, 200]


def test_a_delivery_fails_after_ten_tries(tenant, receiver):
    create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: Answer(500)
    award_points(tenant)
    at, pauses = timezone.now(), []

    while only_due := Delivery.objects.filter(type="points.awarded").exclude(due_at=None).first() or not pauses:
        deliver_all(at=at)
        delivery = only_delivery()
        pauses.append(delivery.due_at and delivery.due_at - at)
        at = delivery.due_at or at
        assert only_due

    assert len(receiver.received) == 10
    assert (only_delivery().status, only_delivery().tries) == (DeliveryStatus.FAILED, 10)
    assert only_delivery().finished_at is not None
    assert timedelta(days=2.4) < sum(pauses[:-1], timedelta()) < timedelta(days=3.9)


def test_retry_after_is_respected(tenant, receiver):
    create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: Answer(503, {"Retry-After": "3600"})
    award_points(tenant)

    deliver_all()

    assert only_delivery().due_at - timezone.now() == pytest.approx(timedelta(hours=1), abs=timedelta(seconds=5))


CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, body=b"x" * 1000, drips=True),
        Answer(200, CHUNKED, body=b"1\r\nx\r\n" * 100, drips=True),
        Answer(200, CHUNKED, body=b"no chunk\r\n"),
        Answer(200, CHUNKED, body=b"5\r\nxx", resets=True),
        Answer(200, {"Content-Encoding": "gzip"}, body=b"not gzip"),
        Answer(200, body=b"x" * 1000, drips=True, resets=True),
    ],
    ids=["drips", "drips in chunks", "no chunk", "is broken off", "is not what it says", "drips and is broken off"],
)
def test_the_status_decides_whatever_the_body_does(tenant, receiver, answer):
    create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: answer
    award_points(tenant)
    started = time.monotonic()

    deliver_all()

    assert time.monotonic() - started < 3
    [(_, status, _, error)] = only_delivery().log
    assert (only_delivery().status, status, error) == (DeliveryStatus.SUCCEEDED, 200, None)
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [410, 500])
def test_an_error_status_decides_although_the_body_drips(tenant, receiver, status):
    create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: Answer(status, body=b"x" * 1000, drips=True)
    award_points(tenant)

    deliver_all()

    [(_, logged, _, error)] = only_delivery().log
    assert (logged, error) == (status, f"answered {status}")


def test_a_dripping_body_is_abandoned_long_before_the_timeout_of_the_try(settings):
    settings.WEBHOOK_TIMEOUT_SECONDS = 15
    dripping = Answer(200, CHUNKED, body=b"1\r\nx\r\n" * 100, drips=True)

    with receiving(lambda request: dripping) as receiver:
        result = send(Post(receiver.url, "msg_1", 1, b"{}", ["whsec_" + "c2VjcmV0" * 4]))

    assert (result.status, result.error) == (200, None)
    assert result.milliseconds < 3000


def test_the_next_delivery_arrives_at_once_after_a_dripping_body(tenant, receiver):
    create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: Answer(200, body=b"x" * 1000, drips=len(receiver.received) == 1)

    for _ in range(2):
        award_points(tenant)
        deliver_all()

    assert [delivery.status for delivery in Delivery.objects.filter(type="points.awarded")] == ["succeeded"] * 2


def test_a_long_answer_is_not_read_to_its_end(tenant, receiver):
    create_webhook(tenant, receiver.url, "points.awarded")
    receiver.behave = lambda request: Answer(200, body=b"x" * 10_000_000)
    award_points(tenant)

    deliver_all()

    assert only_delivery().status == DeliveryStatus.SUCCEEDED


def test_an_unknown_host_is_a_failure(tenant):
    create_webhook(tenant, "http://nobody.invalid/hook", "points.awarded")
    award_points(tenant)

    deliver_all()

    assert only_delivery().log[0][3] == "nobody.invalid cannot be resolved"


def test_a_refused_connection_is_described_in_words(tenant):
    with receiving() as gone:
        url = gone.url
    create_webhook(tenant, url, "points.awarded")
    award_points(tenant)

    deliver_all()

    assert only_delivery().log[0][3] == "Connection refused"


# --- disabling ------------------------------------------------------------------------------------------------------


def disabled_event() -> DomainEvent:
    return DomainEvent.objects.get(type="webhook.disabled")


def test_410_disables_at_once_and_other_webhooks_get_an_event(tenant, receiver):
    gone = create_webhook(tenant, receiver.url, "points.*").endpoint
    receiver.behave = lambda request: Answer(410)
    award_points(tenant)

    with receiving() as other:
        create_webhook(tenant, other.url, "webhook.*")
        deliver_all()
        deliver_all()

        [received] = other.received
        assert b'"type":"webhook.disabled"' in received.body
    gone.refresh_from_db()
    assert (gone.is_active, gone.disabled_because) == (False, "gone")
    assert gone.disabled_at is not None
    event = disabled_event()
    assert event.participant_id is None
    assert event.data["webhook_id"] == str(gone.pk)
    assert (event.data["reason"], event.data["url"]) == ("gone", receiver.url)


def test_five_days_without_a_success_disable(tenant, receiver):
    created = create_webhook(tenant, receiver.url, "points.*").endpoint
    receiver.behave = lambda request: Answer(500)
    begin = timezone.now()
    for days in (0, 2, 4.9):
        with time_machine.travel(begin + timedelta(days=days)):
            award_points(tenant, f"user_{days}")
        deliver_all(at=begin + timedelta(days=days, seconds=1))
        created.refresh_from_db()
        assert created.is_active

    with time_machine.travel(begin + timedelta(days=5.1)):
        award_points(tenant, "user_5")
    deliver_all(at=begin + timedelta(days=5.1, seconds=1))

    created.refresh_from_db()
    assert (created.is_active, created.disabled_because) == (False, "failing")
    assert disabled_event().data["reason"] == "failing"


def test_a_success_restarts_the_five_days(tenant, receiver):
    created = create_webhook(tenant, receiver.url, "points.*").endpoint
    Endpoint.objects.update(failing_since=timezone.now() - timedelta(days=4))
    award_points(tenant)

    deliver_all()

    created.refresh_from_db()
    assert created.failing_since is None


def test_activation_clears_the_failures(tenant, webhook, receiver):
    receiver.behave = lambda request: Answer(410)
    award_points(tenant)
    deliver_all()
    webhook.endpoint.refresh_from_db()

    services.update_endpoint(webhook.endpoint, changes={"is_active": True}, now=timezone.now())
    receiver.behave = lambda request: Answer()
    make_due()
    deliver_all()

    webhook.endpoint.refresh_from_db()
    assert (webhook.endpoint.disabled_at, webhook.endpoint.disabled_because, webhook.endpoint.is_active) == (
        None,
        None,
        True,
    )
    assert set(Delivery.objects.values_list("status", flat=True)) == {"succeeded"}


# --- secrets --------------------------------------------------------------------------------------------------------


def test_both_secrets_verify_for_a_day_after_a_change_then_only_the_new_one(tenant, webhook, receiver):
    rotated = services.rotate_secret(webhook.endpoint, now=timezone.now())
    award_points(tenant, "user_1")
    deliver_all()
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        award_points(tenant, "user_2")
        deliver_all()
        later = receiver.received[-1]
        Webhook(rotated.secret).verify(later.body, later.headers)
        with pytest.raises(Exception, match="No matching signature"):
            Webhook(webhook.secret).verify(later.body, later.headers)

    first = receiver.received[0]
    Webhook(webhook.secret).verify(first.body, first.headers)
    Webhook(rotated.secret).verify(first.body, first.headers)
    assert rotated.secret != webhook.secret


def test_secrets_are_stored_encrypted(tenant, webhook):
    row = Endpoint.objects.values_list().get()

    assert webhook.secret not in str(row)
    assert webhook.secret.removeprefix("whsec_") not in str(row)


def test_a_secret_that_cannot_be_decrypted_is_a_failure_and_no_crash(tenant, webhook, receiver, settings):
    settings.ENCRYPTION_KEYS = ["another passphrase, which never closed anything"]
    award_points(tenant)

    deliver_all()

    assert receiver.received == []
    assert {delivery.log[0][3] for delivery in Delivery.objects.all()} == {"its secret cannot be decrypted"}


# --- leases ---------------------------------------------------------------------------------------------------------


def test_deliveries_claimed_by_a_dead_worker_continue_within_a_minute(tenant, webhook, receiver):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    room = claiming.Capacity(8, 4, {})
    claimed = claiming.claim_due(capacity=room, now=timezone.now())  # then the worker is killed
    assert sum(len(hold.deliveries) for hold in claimed) == 2

    deliver_all()
    assert receiver.received == []

    deliver_all(at=timezone.now() + timedelta(seconds=55))
    assert len(receiver.received) == 2


def test_a_worker_whose_lease_is_over_writes_nothing(tenant, webhook):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    room = claiming.Capacity(8, 4, {})
    [hold] = claiming.claim_due(capacity=room, now=timezone.now())
    late = hold.deliveries[0]
    make_due()
    deliver_all()
    before = Delivery.objects.get(pk=late.delivery_id)

    record([ClaimResult(late, Try(timezone.now(), 5, status=500, error="answered 500"))], now=timezone.now())

    after = Delivery.objects.get(pk=late.delivery_id)
    assert (before.status, after.status, len(after.log)) == ("succeeded", "succeeded", 1)


def test_a_lease_is_longer_than_the_longest_try(settings):
    settings.WEBHOOK_TIMEOUT_SECONDS = 30.0

    assert claiming.seconds_to_start() > 0


def _stop_once(is_enough: Callable[[], bool]) -> None:
    """Stop the loop early: unsent deliveries would keep it busy for long."""
    deadline = time.monotonic() + 10
    while not is_enough() and time.monotonic() < deadline:
        time.sleep(0.02)
    services.stop()


def test_a_hanging_endpoint_does_not_slow_the_others(tenant, settings):
    settings.WEBHOOK_TIMEOUT_SECONDS = 3.0
    with receiving(lambda request: HANG) as sick, receiving() as healthy:
        create_webhook(tenant, sick.url, "points.*")
        create_webhook(tenant, healthy.url, "points.*")
        for number in range(40):
            award_points(tenant, f"user_{number}")
        started = time.time()
        threading.Thread(target=_stop_once, args=(lambda: len(healthy.received) == 40,)).start()

        services.deliver_due()

        assert len(healthy.received) == 40
        assert max(request.at for request in healthy.received) - started < 2
        assert len(sick.received) <= queues.MAX_THREADS_PER_ENDPOINT + 2


def test_an_endpoint_never_gets_more_concurrent_tries_than_the_maximum(tenant, receiver):
    create_webhook(tenant, receiver.url, "points.*")
    lock, open_now, most = threading.Lock(), [0], [0]

    def count(request):
        with lock:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
        time.sleep(0.02)
        with lock:
            open_now[0] -= 1
        return Answer()

    receiver.behave = count
    for number in range(60):
        award_points(tenant, f"user_{number}")

    deliver_all()

    assert len(receiver.received) == 60
    assert 1 < most[0] <= queues.MAX_THREADS_PER_ENDPOINT


# --- erasure --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forget", [participants.delete, participants.anonymize])
def test_events_erased_meanwhile_are_not_sent(tenant, webhook, receiver, forget):
    award_points(tenant, "user_1")
    services.assign_all_positions(now=timezone.now())
    forget(tenant=tenant, external_id="user_1", now=timezone.now())

    deliver_all()

    types = [request.body for request in receiver.received]
    assert len(types) == 1  # the event about the erasure
    assert b"participant.deleted" in types[0] or b"participant.anonymized" in types[0]
    assert Delivery.objects.count() == 1


# --- tests ----------------------------------------------------------------------------------------------------------


def test_a_test_event_goes_only_to_the_tested_endpoint_whatever_it_subscribes_to(tenant, webhook, receiver):
    with receiving() as tested:
        created = create_webhook(tenant, tested.url, "badge.awarded")
        services.send_test(endpoint=created.endpoint, now=timezone.now())
        deliver_all()

        [request] = tested.received
    assert Webhook(created.secret).verify(request.body, request.headers)["data"] == {
        "webhook_id": str(created.endpoint.pk)
    }
    assert receiver.received == []


# --- cost -----------------------------------------------------------------------------------------------------------


def test_a_tenant_without_endpoints_costs_no_query(tenant, queries):
    award_points(tenant)
    tenant.refresh_from_db()

    with CaptureQueriesContext(connection) as captured:
        award_points(tenant)

    assert not [query["sql"] for query in captured if "webhooks" in query["sql"]]


def test_a_check_without_work_takes_two_queries(tenant, webhook, queries):
    services.deliver_due()

    with queries(2):
        services.deliver_due()


def test_positions_and_deliveries_take_the_same_number_of_queries_for_any_number_of_events(tenant, webhook, queries):
    award_points(tenant, "user_0")
    services.assign_all_positions(now=timezone.now())
    for number in range(50):
        award_points(tenant, f"user_{number}")

    with queries(1 + 6):  # tenants; head, events, endpoints; positions, deliveries, head
        services.assign_all_positions(now=timezone.now())
