"""Endpoints: made, changed, deleted, tested, given another secret, disabled."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from gamify.webhooks.engine.messages import instant_text
from gamify.webhooks.models import Delivery, DisabledReason, Endpoint
from gamify.webhooks.services.secrets import FORMER_IS_VALID_FOR, new_secret
from gamify.webhooks.services.sequencing import TEST_EVENT, delivery_of
from gamify.webhooks.services.waking import wake_after_commit
from participants.catalog import bump_catalog_version
from participants.errors import DomainError
from participants.models import Tenant
from participants.secrets import encrypt
from participants.work import restartable, unit_of_work

MAX_ENDPOINTS = 100


class WebhookNotFound(DomainError):
    code = "webhook_not_found"
    status = 404

    def __init__(self, endpoint_id: str) -> None:
        super().__init__(f"Webhook not found: {endpoint_id}")


class WebhookInactive(DomainError):
    """Nothing is delivered to it."""

    code = "webhook_inactive"

    def __init__(self) -> None:
        super().__init__("Webhook is not active")


class TooManyWebhooks(DomainError):
    code = "too_many_webhooks"

    def __init__(self) -> None:
        super().__init__(f"A tenant has {MAX_ENDPOINTS} webhooks at most")


@dataclass(frozen=True)
class EndpointWithSecret:
    """`secret` is to be shown now: nobody is told it later."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def create_endpoint(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> EndpointWithSecret:
    """Make an endpoint. What is committed from now on is delivered to it. Raises TooManyWebhooks."""
    bump_catalog_version(tenant)  # first: two who make the last one wait for each other here
    if Endpoint.objects.of(tenant).count() >= MAX_ENDPOINTS:
        raise TooManyWebhooks
    secret = new_secret()
    endpoint = Endpoint.objects.create(
        tenant=tenant, ciphertext=encrypt(secret), created_at=now, updated_at=now, **data
    )
    return EndpointWithSecret(endpoint, secret)


@transaction.atomic
def update_endpoint(endpoint: Endpoint, *, changes: Mapping[str, Any], now: datetime) -> Endpoint:
    """Set the fields that `changes` names. Activated, it is as if it had never failed, and what waited is due."""
    changes = {name: value for name, value in changes.items() if getattr(endpoint, name) != value}
    if not changes:
        return endpoint
    if changes.get("is_active"):
        changes |= {"failing_since": None, "failed_at": None, "disabled_at": None, "disabled_because": None}
    _write(endpoint, changes, now=now)
    bump_catalog_version(endpoint.tenant)
    wake_after_commit()
    return endpoint


def _write(endpoint: Endpoint, changes: Mapping[str, Any], *, now: datetime) -> None:
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.updated_at = now
    endpoint.save(update_fields=[*changes, "updated_at"])


@transaction.atomic
def delete_endpoint(endpoint: Endpoint) -> None:
    """With all its deliveries, those that are still to be made included."""
    Delivery.objects.of(endpoint).delete()
    bump_catalog_version(endpoint.tenant)
    endpoint.delete()


def rotate_secret(endpoint: Endpoint, *, now: datetime) -> EndpointWithSecret:
    """Give it another secret. For a day deliveries are signed with both, so that the receiver can change over in between."""
    secret = new_secret()
    former = {"former_ciphertext": endpoint.ciphertext, "former_until": now + FORMER_IS_VALID_FOR}
    _write(endpoint, {"ciphertext": encrypt(secret), **former}, now=now)
    return EndpointWithSecret(endpoint, secret)


@restartable
def send_test(*, endpoint: Endpoint, now: datetime) -> Delivery:
    """Deliver an event that means nothing to this endpoint, whatever it wants. Raises WebhookInactive."""
    if not endpoint.is_active:
        raise WebhookInactive
    with unit_of_work(endpoint.tenant, [], now=now) as work:
        event = work.emit_for_tenant(TEST_EVENT, {"webhook_id": str(endpoint.pk)})
        delivery = delivery_of(endpoint, event, now=now)
        work.add(delivery)
        wake_after_commit()
        return delivery


@restartable
def disable(*, endpoint: Endpoint, reason: DisabledReason, now: datetime) -> None:
    """Stop delivering to it, and tell of that; nothing where somebody was faster."""
    with unit_of_work(endpoint.tenant, [], now=now) as work:
        row = work.lock(Endpoint, endpoint.pk)
        if row is None or not row.is_active:
            return
        _write(row, {"is_active": False, "disabled_at": now, "disabled_because": reason}, now=now)
        bump_catalog_version(endpoint.tenant)
        work.emit_for_tenant("webhook.disabled", _told_of(row, reason))


def _told_of(row: Endpoint, because: DisabledReason) -> dict[str, Any]:
    since = row.failing_since and instant_text(row.failing_since)
    return {"webhook_id": str(row.pk), "url": row.url, "reason": because.value, "failing_since": since}
