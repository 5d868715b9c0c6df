from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from gamify.webhooks import services
from gamify.webhooks.services import EndpointWithSecret, network, waking
from participants.models import Tenant
from tests.receivers import Receiver, receiving


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    """No lingering, no wake-up messages, and a short timeout for endpoints that hang."""
    monkeypatch.setattr("gamify.webhooks.services.delivery_loop.LINGER_SECONDS", 0)
    monkeypatch.setattr(waking.wake_up_sender, "send", lambda: None)
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.5
    network.policy.cache_clear()
    yield
    network.policy.cache_clear()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that accepts everything until its `behave` is set."""
    with receiving() as created:
        yield created


@pytest.fixture
def webhook(tenant: Tenant, receiver: Receiver) -> EndpointWithSecret:
    """An endpoint that subscribes to everything."""
    return create_webhook(tenant, receiver.url)


def create_webhook(tenant: Tenant, url: str, *globs: str, **given: Any) -> EndpointWithSecret:
    data = {"url": url, "event_types": list(globs or ["*"]), **given}
    return services.create_endpoint(tenant=tenant, data=data, now=timezone.now())
