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
from tests.gamify.webhooks.conftest import made_webhook
from tests.gamify.webhooks.test_delivering import an_award
from tests.receivers import Answer

pytestmark = pytest.mark.django_db

LIST, ADD, CHANGE = (f"webhooks_endpoint_{page}" for page in ("changelist", "add", "change"))
DELIVERIES = "webhooks_delivery_changelist"


@pytest.fixture
def console(tenant) -> Console:
    return Console(tenant)


def secret_in(answer) -> str:
    return re.search(r'<code id="secret">(whsec_[^<]+)</code>', text_of(answer))[1]


def added(console, tenant, **fields):
    given = {"url": "http://127.0.0.1:9/hook", "event_types": "points.*, streak.broken", "is_active": "on"}
    return console.post(ADD, opened_for=str(tenant.pk), **given | fields)


def test_a_webhook_is_made_and_its_secret_shown_once(console, tenant):
    answer = added(console, tenant, description="Shop")

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
        ("event_types", "streaks.*", "No. 1: There is no event of the type 'streaks.*'."),
    ],
)
def test_what_the_api_refuses_the_form_shows(console, tenant, field, value, problem):
    answer = added(console, tenant, **{field: value})

    assert errors_of(answer) == {field: [problem]}
    assert not Endpoint.objects.exists()


def test_a_webhook_is_changed(console, webhook):
    console.edit(CHANGE, webhook.endpoint.pk, event_types="badge.*", description="Later")

    webhook.endpoint.refresh_from_db()
    assert (webhook.endpoint.event_types, webhook.endpoint.description) == (["badge.*"], "Later")
    assert webhook.endpoint.is_active


def test_one_that_was_disabled_is_told_of_and_activated_again(console, tenant, webhook):
    disable(endpoint=webhook.endpoint, reason=DisabledReason.GONE, now=timezone.now())

    assert f"Deliveries to {webhook.endpoint.url} were stopped: it answered 410 Gone." in text_of(console.get("index"))
    assert "disabled" in text_of(console.get(LIST))
    console.edit(CHANGE, webhook.endpoint.pk, is_active="on")

    webhook.endpoint.refresh_from_db()
    assert (webhook.endpoint.is_active, webhook.endpoint.disabled_because) == (True, None)
    assert "were stopped" not in text_of(console.get("index"))


def test_the_notice_is_the_tenants_own(console, tenant, other_tenant):
    other = made_webhook(other_tenant, "http://127.0.0.1:9/").endpoint
    disable(endpoint=other, reason=DisabledReason.FAILING, now=timezone.now())

    assert "were stopped" not in text_of(console.get("index"))


def test_a_secret_is_changed_over_and_shown_once(console, webhook, receiver, tenant):
    answer = console.post("webhooks_endpoint_rotate", webhook.endpoint.pk)

    secret = secret_in(answer)
    assert "signed with the former one too" in text_of(answer)
    assert "Done, to the webhooks" in text_of(answer)
    an_award(tenant)
    services.deliver_due()
    for each in (secret, webhook.secret):
        Webhook(each).verify(receiver.received[0].body, receiver.received[0].headers)
    assert [message for _, _, message in trail()] == ["Changed the secret over."]


def test_a_test_is_sent_and_found_in_the_deliveries(console, webhook, receiver):
    answer = console.post("webhooks_endpoint_test", webhook.endpoint.pk)
    services.deliver_due()

    page = console.client.get(answer.url)
    assert "webhook.test" in text_of(page)
    assert "204, " in text_of(page)
    assert b"webhook.test" in receiver.received[0].body


def test_deliveries_are_listed_with_what_was_answered_and_sent_again(console, tenant, webhook, receiver):
    receiver.behave = lambda request: Answer(503)
    an_award(tenant)
    services.deliver_due()
    delivery = Delivery.objects.get(type="points.awarded")

    page = text_of(console.get("webhooks_delivery_change", delivery.pk))
    assert "answered 503" in page
    console.post("webhooks_delivery_replay", delivery.pk)
    receiver.behave = lambda request: Answer()
    services.deliver_due()

    delivery.refresh_from_db()
    assert delivery.status == "succeeded"
    assert [message for _, _, message in trail()] == ["Replayed."]


def test_a_delivery_shows_what_is_sent_as_long_as_there_is_anything(console, tenant, webhook):
    an_award(tenant)
    services.assign_all_positions(now=timezone.now())
    delivery = Delivery.objects.get(type="points.awarded")

    assert '"participant_id": "user_1"' in unescape(text_of(console.get("webhooks_delivery_change", delivery.pk)))
    DomainEvent.objects.all().delete()
    assert "Nothing any more" in text_of(console.get("webhooks_delivery_change", delivery.pk))


def test_what_waits_for_a_webhook_that_is_not_active_has_no_time(console, tenant, webhook):
    an_award(tenant)
    services.assign_all_positions(now=timezone.now())
    services.update_endpoint(webhook.endpoint, changes={"is_active": False}, now=timezone.now())

    assert text_of(console.get("webhooks_delivery_changelist")).count("when the webhook is active again") == 2


def test_who_does_not_choose_replays_what_failed(console, webhook):
    page = console.get("webhooks_endpoint_replay", webhook.endpoint.pk).content.decode()

    assert re.search(r'<option value="failed"\s+selected', page)


def test_what_happened_within_a_time_is_replayed(console, tenant, webhook, receiver):
    an_award(tenant)
    services.deliver_due()

    console.post("webhooks_endpoint_replay", webhook.endpoint.pk, begin="2026-01-01T00:00:00", end="", status="")
    services.deliver_due()

    assert len(receiver.received) == 4


def test_a_webhook_is_deleted_only_by_who_is_sure(console, webhook):
    console.post("webhooks_endpoint_remove", webhook.endpoint.pk)
    assert Endpoint.objects.exists()

    console.post("webhooks_endpoint_remove", webhook.endpoint.pk, is_sure="on")

    assert not Endpoint.objects.exists()
    assert [(flag, message) for _, flag, message in trail()] == [(3, "Deleted.")]


def test_another_tenants_are_not_there(console, other_tenant):
    other = made_webhook(other_tenant, "http://127.0.0.1:9/other").endpoint

    assert "/other" not in text_of(console.get(LIST))
    assert "/other" not in text_of(console.get(DELIVERIES))
    assert console.get(CHANGE, other.pk).status_code == 302
    assert console.post("webhooks_endpoint_remove", other.pk, is_sure="on").status_code == 302
    assert Endpoint.objects.filter(pk=other.pk).exists()


@pytest.mark.parametrize("page", ["test", "rotate", "replay", "remove"])
def test_who_may_only_look_changes_nothing(tenant, webhook, page):
    console = Console(tenant, user=staff("webhooks.view_endpoint"))

    assert console.get(CHANGE, webhook.endpoint.pk).status_code == 200
    assert console.post(f"webhooks_endpoint_{page}", webhook.endpoint.pk, is_sure="on").status_code == 403


def test_lists_take_as_many_questions_for_many_as_for_one(tenant, console, webhook):
    def count(page):
        with CaptureQueriesContext(connection) as captured:
            console.get(page)
        return len(captured)

    an_award(tenant, "user_0")
    services.assign_all_positions(now=timezone.now())
    console.get(DELIVERIES)
    few = count(DELIVERIES)
    for number in range(20):
        an_award(tenant, f"user_{number}")
    services.assign_all_positions(now=timezone.now())

    assert count(DELIVERIES) == few
