"""Webhooks over HTTP: admins of a tenant create, change and replay its webhooks only."""

from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from gamify.webhooks import services
from gamify.webhooks.models import Delivery, Endpoint
from gamify.webhooks.services import endpoints, network, replaying
from participants.models import DomainEvent
from participants.services import participants
from tests.client import refusal, refused_fields
from tests.gamify.webhooks.conftest import create_webhook
from tests.gamify.webhooks.test_delivering import award_points
from tests.receivers import Answer

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:9/hook"
UNKNOWN = "01a20030-16b8-773b-a1f2-79a6f16a65ee"


def later(**pause) -> str:
    return (timezone.now() + timedelta(**pause)).isoformat().replace("+00:00", "Z")


def test_only_the_answer_to_the_creation_contains_the_secret(admin_api, tenant):
    response = admin_api.post("/admin/webhooks", {"url": URL, "event_types": ["streak.*", "streak.*"], "x": 1})

    body = response.json()
    assert response.status_code == 201
    assert body["secret"].startswith("whsec_")
    assert (body["url"], body["event_types"], body["is_active"], body["description"]) == (URL, ["streak.*"], True, None)
    assert (body["tenant_id"], body["former_secret_valid_until"]) == (str(tenant.pk), None)
    shown = admin_api.get(f"/admin/webhooks/{body['id']}").json()
    assert "secret" not in shown
    assert admin_api.get("/admin/webhooks").json() == {"items": [shown], "total": 1, "page": 1, "page_size": 50}


def test_a_webhook_without_types_gets_all_events(admin_api):
    assert admin_api.post("/admin/webhooks", {"url": URL}).json()["event_types"] == ["*"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": None}, "url"), ({"url": ""}, "url"), ({"url": 5}, "url"), ({"url": "http://10.0.0.1/"}, "url"),
        ({"url": "http://2130706433/"}, "url"), ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "https://u:p@x.example/"}, "url"), ({"url": "file:///etc/passwd"}, "url"),
        ({"event_types": []}, "event_types"), ({"event_types": "*"}, "event_types"),
        ({"event_types": ["nope"]}, "event_types.0"), ({"event_types": ["*", "a.*"]}, "event_types.1"),
        ({"event_types": ["*"] * 51}, "event_types"), ({"event_types": [None]}, "event_types.0"),
        ({"event_types": None}, "event_types"), ({"description": "x" * 256}, "description"),
        ({"description": "a\nb"}, "description"), ({"is_active": "perhaps"}, "is_active"),
    ],
)  # fmt: skip
def test_invalid_webhooks_are_refused_and_nothing_is_written(admin_api, nothing_written, change, field):
    with nothing_written():
        response = admin_api.post("/admin/webhooks", {"url": URL, **change})

    assert refused_fields(response)[0] == field


def test_production_allows_only_https_to_the_usual_ports(admin_api, settings):
    settings.WEBHOOK_ALLOW_HTTP, settings.WEBHOOK_NETWORKS, settings.WEBHOOK_PORTS = False, [], [443, 8443]
    network.policy.cache_clear()

    for url in ("http://shop.example/", "https://shop.example:22/", "https://127.0.0.1/"):
        assert refused_fields(admin_api.post("/admin/webhooks", {"url": url})) == ["url"]
    assert admin_api.post("/admin/webhooks", {"url": "https://shop.example/"}).status_code == 201


def test_the_number_of_webhooks_is_limited(admin_api, monkeypatch):
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 1)
    admin_api.post("/admin/webhooks", {"url": URL})

    assert refusal(admin_api.post("/admin/webhooks", {"url": URL}))[:2] == (400, "too_many_webhooks")
    assert Endpoint.objects.count() == 1


def test_only_given_fields_change(admin_api, webhook):
    path = f"/admin/webhooks/{webhook.endpoint.pk}"

    changed = admin_api.patch(path, {"description": "Shop", "is_active": False}).json()

    assert (changed["description"], changed["is_active"], changed["url"]) == ("Shop", False, webhook.endpoint.url)
    assert refused_fields(admin_api.patch(path, {"url": "http://10.0.0.1/"})) == ["url"]
    assert admin_api.patch(path, {}).json() == changed
    assert admin_api.get("/admin/webhooks?is_active=true").json()["total"] == 0


def test_a_change_takes_effect_at_once(admin_api, tenant, webhook, receiver):
    admin_api.patch(f"/admin/webhooks/{webhook.endpoint.pk}", {"event_types": ["badge.*"]})
    award_points(tenant)
    services.deliver_due()

    assert receiver.received == []


def test_a_webhook_is_deleted_with_its_log(admin_api, tenant, webhook):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    path = f"/admin/webhooks/{webhook.endpoint.pk}"

    assert admin_api.delete(path).json() == {"message": "Webhook deleted"}

    assert not Delivery.objects.exists()
    assert refusal(admin_api.get(path))[:2] == (404, "webhook_not_found")
    assert refusal(admin_api.delete(path))[:2] == (404, "webhook_not_found")


def test_a_test_event_is_delivered(admin_api, webhook, receiver):
    path = f"/admin/webhooks/{webhook.endpoint.pk}"

    sent = admin_api.post(f"{path}/test").json()
    services.deliver_due()

    [delivery] = admin_api.get(f"{path}/deliveries").json()["items"]
    assert (delivery["id"], delivery["event_type"], delivery["status"]) == (sent["id"], "webhook.test", "succeeded")
    [attempt] = delivery["attempts"]
    assert (attempt["status_code"], attempt["error"]) == (204, None)
    assert receiver.received[0].headers["webhook-id"] == delivery["event_id"]


def test_an_inactive_webhook_cannot_be_tested(admin_api, webhook, nothing_written):
    admin_api.patch(f"/admin/webhooks/{webhook.endpoint.pk}", {"is_active": False})

    with nothing_written():
        response = admin_api.post(f"/admin/webhooks/{webhook.endpoint.pk}/test")

    assert refusal(response)[:2] == (400, "webhook_inactive")


def test_a_secret_is_replaced(admin_api, tenant, webhook, receiver):
    body = admin_api.post(f"/admin/webhooks/{webhook.endpoint.pk}/rotate-secret").json()
    award_points(tenant)
    services.deliver_due()

    for secret in (webhook.secret, body["secret"]):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    assert later(hours=23) < body["former_secret_valid_until"] < later(hours=25)


def test_deliveries_are_listed_newest_first_and_filtered(admin_api, tenant, webhook, receiver):
    receiver.behave = lambda request: Answer(200 if b"participant.created" in request.body else 500)
    award_points(tenant)
    services.deliver_due()
    path = f"/admin/webhooks/{webhook.endpoint.pk}/deliveries"

    assert [each["event_type"] for each in admin_api.get(path).json()["items"]] == [
        "points.awarded",
        "participant.created",
    ]
    [pending] = admin_api.get(f"{path}?status=pending").json()["items"]
    assert (pending["event_type"], pending["tries"]) == ("points.awarded", 1)
    assert pending["next_try_at"] is not None
    assert refused_fields(admin_api.get(f"{path}?status=lost")) == ["status"]
    assert refused_fields(admin_api.get(f"{path}?page_size=101")) == ["page_size"]
    assert admin_api.get(f"{path}?page=9").json()["items"] == []


def test_a_delivery_is_replayed_with_the_same_event_id(admin_api, tenant, webhook, receiver):
    award_points(tenant)
    services.deliver_due()
    delivery = Delivery.objects.get(type="points.awarded")
    path = f"/admin/webhooks/{webhook.endpoint.pk}/deliveries"

    replayed = admin_api.post(f"{path}/{delivery.pk}/replay").json()
    services.deliver_due()

    assert (replayed["id"], replayed["status"], replayed["tries"]) == (str(delivery.pk), "pending", 0)
    ids = [request.headers["webhook-id"] for request in receiver.received]
    assert ids.count(str(delivery.event_id)) == 2
    delivery.refresh_from_db()
    assert (delivery.status, len(delivery.log)) == ("succeeded", 2)
    assert refusal(admin_api.post(f"{path}/{UNKNOWN}/replay"))[:2] == (404, "delivery_not_found")
    assert refusal(admin_api.post(f"{path}/x/replay"))[:2] == (404, "delivery_not_found")


def test_erased_events_are_not_replayed(admin_api, tenant, webhook):
    award_points(tenant)
    services.deliver_due()
    delivery = Delivery.objects.get(type="points.awarded")
    participants.delete(tenant=tenant, external_id="user_1", now=timezone.now())
    path = f"/admin/webhooks/{webhook.endpoint.pk}"

    response = admin_api.post(f"{path}/deliveries/{delivery.pk}/replay")

    assert refusal(response)[:2] == (400, "event_gone")
    services.deliver_due()  # delivers the event about the erasure
    assert admin_api.post(f"{path}/replay?from=2026-01-01T00:00:00Z&to={later(seconds=1)}").json() == {"replayed": 1}


def _history(admin_api, tenant, webhook, receiver) -> None:
    """One success, one failure, and two missed events."""
    receiver.behave = lambda request: Answer(200 if b"participant.created" in request.body else 500)
    award_points(tenant)
    services.deliver_due()
    Delivery.objects.filter(status="pending").update(status="failed", due_at=None)
    admin_api.patch(f"/admin/webhooks/{webhook.endpoint.pk}", {"is_active": False})
    award_points(tenant, "user_2")
    services.assign_all_positions(now=timezone.now())
    admin_api.patch(f"/admin/webhooks/{webhook.endpoint.pk}", {"is_active": True})
    receiver.behave = lambda request: Answer()
    receiver.received.clear()


@pytest.mark.parametrize(("status", "count"), [("failed", 1), ("succeeded", 1), ("missed", 2), (None, 4)])
def test_a_period_is_replayed_by_status(admin_api, tenant, webhook, receiver, status, count):
    _history(admin_api, tenant, webhook, receiver)
    query = f"from={later(hours=-1)}&to={later(seconds=1)}" + (f"&status={status}" if status else "")

    body = admin_api.post(f"/admin/webhooks/{webhook.endpoint.pk}/replay?{query}").json()
    services.deliver_due()

    assert body == {"replayed": count}
    assert len({request.headers["webhook-id"] for request in receiver.received}) == len(receiver.received) == count


@pytest.mark.parametrize("status", ["status=failed", ""])
def test_deliveries_that_wait_for_another_try_count_as_failed(admin_api, tenant, webhook, receiver, status):
    receiver.behave = lambda request: Answer(500)
    award_points(tenant)
    services.deliver_due()
    waiting = Delivery.objects.filter(status="pending", tries=1)
    number = waiting.count()
    path = f"/admin/webhooks/{webhook.endpoint.pk}/replay?from={later(hours=-1)}&to={later(seconds=1)}&{status}"

    first, again = admin_api.post(path).json(), admin_api.post(path).json()

    assert number > 0
    assert (first, again) == ({"replayed": number}, {"replayed": 0})
    assert set(Delivery.objects.values_list("status", "tries")) == {("pending", 0)}


def test_deliveries_that_are_being_sent_are_not_replayed(admin_api, tenant, webhook, receiver):
    receiver.behave = lambda request: Answer(500)
    award_points(tenant)
    services.deliver_due()
    Delivery.objects.update(lease=UNKNOWN)
    path = f"/admin/webhooks/{webhook.endpoint.pk}/replay?from={later(hours=-1)}&status=failed"

    assert admin_api.post(path).json() == {"replayed": 0}


def test_events_outside_the_period_are_not_replayed(admin_api, tenant, webhook, receiver):
    _history(admin_api, tenant, webhook, receiver)

    path = f"/admin/webhooks/{webhook.endpoint.pk}/replay"

    assert admin_api.post(f"{path}?from={later(hours=-2)}&to={later(hours=-1)}").json() == {"replayed": 0}
    assert admin_api.post(f"{path}?from={later(hours=1)}").json() == {"replayed": 0}


def test_events_it_does_not_subscribe_to_are_not_missed(admin_api, tenant):
    award_points(tenant)
    services.assign_all_positions(now=timezone.now())
    created = create_webhook(tenant, URL, "badge.*").endpoint

    assert (
        admin_api.post(f"/admin/webhooks/{created.pk}/replay?from={later(hours=-1)}&status=missed").json()["replayed"]
        == 0
    )


def test_too_many_deliveries_are_not_replayed_at_once(
    admin_api, tenant, webhook, receiver, monkeypatch, nothing_written
):
    monkeypatch.setattr(replaying, "MAX_REPLAYED", 3)
    _history(admin_api, tenant, webhook, receiver)

    with nothing_written():
        response = admin_api.post(
            f"/admin/webhooks/{webhook.endpoint.pk}/replay?from={later(hours=-1)}&to={later(seconds=1)}"
        )

    assert refused_fields(response) == ["to"]


@pytest.mark.parametrize("query", ["", "from=", "from=x", "from=0001-01-01T00:00:00Z", "from=9999-12-31T23:59:59Z"])
def test_an_invalid_period_is_refused(admin_api, webhook, query):
    assert refused_fields(admin_api.post(f"/admin/webhooks/{webhook.endpoint.pk}/replay?{query}")) == ["from"]


PATHS = [
    ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate-secret"), ("GET", "/deliveries"),
    ("POST", "/replay?from=2026-01-01T00:00:00Z"), ("POST", f"/deliveries/{UNKNOWN}/replay"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "suffix"), PATHS)
def test_another_tenants_webhook_is_not_there(other_admin_api, webhook, nothing_written, method, suffix):
    with nothing_written():
        response = other_admin_api.send(method, f"/admin/webhooks/{webhook.endpoint.pk}{suffix}", {})

    assert refusal(response)[:2] == (404, "webhook_not_found")


@pytest.mark.parametrize(("method", "suffix"), [*PATHS, ("POST", "")])
def test_a_key_without_the_scope_opens_nothing(api, webhook, method, suffix):
    path = "/admin/webhooks" if (method, suffix) == ("POST", "") else f"/admin/webhooks/{webhook.endpoint.pk}{suffix}"

    assert refusal(api.send(method, path, {})) == (403, "forbidden", "API key requires 'admin' scope")


@pytest.mark.parametrize("webhook_id", ["x", "%00", UNKNOWN, "a%2Fb"])
def test_what_is_no_webhook_is_not_there(admin_api, webhook_id):
    assert admin_api.get(f"/admin/webhooks/{webhook_id}").status_code == 404


def test_deliveries_take_as_many_questions_for_many_as_for_one(admin_api, tenant, webhook, queries):
    for number in range(20):
        award_points(tenant, f"user_{number}")
    services.assign_all_positions(now=timezone.now())
    assert DomainEvent.objects.count() == 40

    with queries(2 + 1 + 2):  # key and its last use; webhook; count and page
        assert len(admin_api.get(f"/admin/webhooks/{webhook.endpoint.pk}/deliveries").json()["items"]) == 40
