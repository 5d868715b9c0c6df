"""Deliveries over real HTTP, by the pump that a worker runs."""

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from gamify.points.services import Change, award
from gamify.webhooks import services
from gamify.webhooks.services import waking
from participants.models import DomainEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_once(monkeypatch, settings):
    """Nobody else commits meanwhile, and nobody is called."""
    monkeypatch.setattr("gamify.webhooks.services.pumping.LINGER_SECONDS", 0)
    monkeypatch.setattr(waking.bell, "press", lambda: None)
    settings.WEBHOOK_TIMEOUT_SECONDS = 1.0


def endpoint(tenant, url, *globs, **given):
    data = {"url": url, "event_types": list(globs or ["*"]), **given}
    return services.create_endpoint(tenant=tenant, data=data, now=timezone.now())


def an_award(tenant, participant_id="user_1", amount=10):
    return award(tenant=tenant, change=Change(participant_id=participant_id, amount=amount), now=timezone.now())


def test_what_happened_arrives_signed(tenant, receiver):
    made = endpoint(tenant, receiver.url, "points.*")

    an_award(tenant)
    services.pump()

    [request] = receiver.received
    message = Webhook(made.secret).verify(request.body, request.headers)
    event = DomainEvent.objects.get(type="points.awarded")
    assert message == {
        "id": str(event.pk),
        "type": "points.awarded",
        "occurred_at": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "tenant_id": str(tenant.pk),
        "data": event.data,
    }
    assert request.headers["webhook-id"] == str(event.pk)
    assert request.headers["webhook-schema-version"] == "1"
