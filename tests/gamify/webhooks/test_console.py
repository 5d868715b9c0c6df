"""Webhooks in the console."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import Webhook

from gamify.webhooks import services
from gamify.webhooks.models import Delivery, DisabledReason, Endpoint
from gamify.webhooks.services.endpoints import disable
from participants.models import DomainEvent
from tests.console import Console, errors_of, staff, text_of, trail
from tests.gamify.webhooks.conftest import create_webhook
from tests.gamify.webhooks.test_delivering import award_points
from tests.receivers import Answer

pytestmark = pytest.mark.django_db

LIST, ADD, CHANGE = (f"webhooks_endpoint_{page}" for page in ("changelist", "add", "change"))
DELIVERIES = "webhooks_delivery_changelist"


@pytest.fixture
def console(tenant) -> Console:
    return Console(tenant)


def secret_in(answer) -> str:
    return re.search(r'<code id="secret">(whsec_[^<]+)</code>', text_of(answer))[1]


def submit_form(console, tenant, **fields):
    given = {"url": "http://127.0.0.1:9/hook", "event_types": "points.*, streak.broken", "is_active": "on"}
    return console.post(ADD, opened_for=str(tenant.pk), **given | fields)


def test_a_webhook_is_created_and_its_secret_is_shown_once(console, tenant):
    answer = submit_form(console, tenant, description="Shop")

    row = Endpoint.objects.get()
    assert (row.url, row.event_types, row.description, row.is_active) == (
        "http://127.0.0.1:9/hook",
        ["points.*", "streak.broken"],
        "Shop",
        True,
    )
    secret = secret_in(answer)
    assert services.rotate_secret(row, now=timezone.now()).secret != secret
    assert secret not in text_of(console.get(CHANGE, row.pk))
    [(name, flag, message)] = trail()
    assert (name, flag) == (row.url, 1)
    assert secret not in message


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("url", "http://10.0.0.1/", "10.0.0.1 is not a public address."),
        ("url", "ftp://x.example/", "Must be an http or https address."),
        ("event_types", "streaks.*", "No. 1: There is no event type 'streaks.*'."),
    ],
)
def test_the_form_shows_what_the_api_refuses(console, tenant, field, value, problem):
    answer = submit_form(console, tenant, **{field: value})

    assert errors_of(answer) == {field: [problem]}
    assert not Endpoint.objects.exists()


def test_a_webhook_is_changed(console, webhook):
    console.edit(CHANGE, webhook.endpoint.pk, event_types="badge.*", description="Later")

    webhook.endpoint.refresh_from_db()
    assert (webhook.endpoint.event_types, webhook.endpoint.description) == (["badge.*"], "Later")
    assert webhook.endpoint.is_active


def test_a_notice_names_a_disabled_webhook_until_it_is_activated_again(console, tenant, webhook):
    disable(endpoint=webhook.endpoint, reason=DisabledReason.GONE, now=timezone.now())

    assert f"Deliveries to {webhook.endpoint.url} were stopped: it answered 410 Gone." in text_of(console.get("index"))
    assert "disabled" in text_of(console.get(LIST))
    console.edit(CHANGE, webhook.endpoint.pk, is_active="on")

    webhook.endpoint.refresh_from_db()
    assert (webhook.endpoint.is_active, webhook.endpoint.disabled_because) == (True, None)
    assert "were stopped" not in text_of(console.get("index"))


def test_the_notice_is_shown_to_its_own_tenant_only(console, tenant, other_tenant):
    other = create_webhook(other_tenant, "http://127.0.0.1:9/").endpoint
    disable(endpoint=other, reason=DisabledReason.FAILING, now=timezone.now())

    assert "were stopped" not in text_of(console.get("index"))


def test_a_new_secret_is_shown_once(console, webhook, receiver, tenant):
    answer = console.post("webhooks_endpoint_rotate", webhook.endpoint.pk)

    secret = secret_in(answer)
    assert "signed with both secrets" in text_of(answer)
    assert "Done, to the webhooks" in text_of(answer)
    award_points(tenant)
    services.deliver_due()
    for each in (secret, webhook.secret):
        Webhook(each).verify(receiver.received[0].body, receiver.received[0].headers)
    assert [message for _, _, message in trail()] == ["Changed the secret."]


def test_a_test_event_is_sent_and_listed_in_the_deliveries(console, webhook, receiver):
    answer = console.post("webhooks_endpoint_test", webhook.endpoint.pk)
    services.deliver_due()

    page = console.client.get(answer.url)
    assert "webhook.test" in text_of(page)
    assert "204, " in text_of(page)
    assert b"webhook.test" in receiver.received[0].body


def test_deliveries_are_listed_with_their_answers_and_can_be_sent_again(console, tenant, webhook, receiver):
    receiver.behave = lambda request: Answer(503)
    award_points(tenant)
    services.deliver_due()
    delivery = Delivery.objects.get(type="points.awarded")

    page = text_of(console.get("webhooks_delivery_change", delivery.pk))
    assert "answered 503" in page
    (sent,) = (each.headers for each in receiver.received if each.headers["webhook-id"] == str(delivery.event_id))
    for name in ("Content-Type", "User-Agent", "Webhook-Schema-Version", "webhook-id"):
        assert f"{name}: {sent[name.lower()]}\n" in page
    assert f"POST {webhook.endpoint.url}\n" in page
    assert sent["webhook-signature"] not in page
    console.post("webhooks_delivery_replay", delivery.pk)
    receiver.behave = lambda request: Answer()
    services.deliver_due()

    delivery.refresh_from_db()
    assert delivery.status == "succeeded"
    assert [message for _, _, message in trail()] == ["Replayed."]


def test_a_delivery_shows_its_body_as_long_as_the_event_exists(console, tenant, webhook):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    delivery = Delivery.objects.get(type="points.awarded")

    assert '"participant_id": "user_1"' in unescape(text_of(console.get("webhooks_delivery_change", delivery.pk)))
    DomainEvent.objects.all().delete()
    assert "Nothing: the event was erased" in text_of(console.get("webhooks_delivery_change", delivery.pk))


def test_a_pending_delivery_of_an_inactive_webhook_shows_no_time(console, tenant, webhook):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    services.update_endpoint(webhook.endpoint, changes={"is_active": False}, now=timezone.now())

    assert text_of(console.get("webhooks_delivery_changelist")).count("when the webhook is active again") == 2


def test_failed_deliveries_are_the_default_of_a_replay(console, webhook):
    page = console.get("webhooks_endpoint_replay", webhook.endpoint.pk).content.decode()

    assert re.search(r'<option value="failed"\s+selected', page)


def test_the_events_of_a_period_are_replayed(console, tenant, webhook, receiver):
    award_points(tenant)
    services.deliver_due()

    console.post("webhooks_endpoint_replay", webhook.endpoint.pk, begin="2026-01-01T00:00:00", end="", status="")
    services.deliver_due()

    assert len(receiver.received) == 4


def test_a_webhook_is_deleted_only_after_confirmation(console, webhook):
    console.post("webhooks_endpoint_remove", webhook.endpoint.pk)
    assert Endpoint.objects.exists()

    console.post("webhooks_endpoint_remove", webhook.endpoint.pk, is_sure="on")

    assert not Endpoint.objects.exists()
    assert [(flag, message) for _, flag, message in trail()] == [(3, "Deleted.")]


def test_webhooks_of_another_tenant_are_not_found(console, other_tenant):
    other = create_webhook(other_tenant, "http://127.0.0.1:9/other").endpoint

    assert "/other" not in text_of(console.get(LIST))
    assert "/other" not in text_of(console.get(DELIVERIES))
    assert console.get(CHANGE, other.pk).status_code == 302
    assert console.post("webhooks_endpoint_remove", other.pk, is_sure="on").status_code == 302
    assert Endpoint.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize("page", ["test", "rotate", "replay", "remove"])
def test_permission_to_view_is_not_permission_to_change(tenant, webhook, page):
    console = Console(tenant, user=staff("webhooks.view_endpoint"))

    assert console.get(CHANGE, webhook.endpoint.pk).status_code == 200
    assert console.post(f"webhooks_endpoint_{page}", webhook.endpoint.pk, is_sure="on").status_code == 403


def test_lists_take_the_same_number_of_queries_for_any_number_of_rows(tenant, console, webhook):
    def count(page):
        with CaptureQueriesContext(connection) as captured:
            console.get(page)
        return len(captured)

    award_points(tenant, "user_0")
    services.assign_all_positions(now=timezone.now())
    console.get(DELIVERIES)
    few = count(DELIVERIES)
    for number in range(20):
        award_points(tenant, f"user_{number}")
    services.assign_all_positions(now=timezone.now())

    assert count(DELIVERIES) == few
