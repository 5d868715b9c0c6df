"""Endpoints: create, change, delete, test, change the secret, disable."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from gamify.webhooks.models import Delivery, DisabledReason, Endpoint
from gamify.webhooks.services.secrets import FORMER_IS_VALID_FOR, new_secret
from gamify.webhooks.services.sequencing import TEST_EVENT, delivery_of
from gamify.webhooks.services.waking import wake_after_commit
from participants.catalog import bump_catalog_version
from participants.engine import instant_text
from participants.errors import DomainError, NotFound
from participants.models import Tenant
from participants.secrets import encrypt
from participants.services.changes import HIDDEN, Changes, created, record_change, removed, updated
from participants.work import restartable, unit_of_work

MAX_ENDPOINTS = 100
SETTINGS = ("url", "description", "event_types", "is_active", "disabled_because")


class WebhookNotFound(NotFound):
    code = "webhook_not_found"
    noun = "Webhook"


class WebhookInactive(DomainError):
    """Nothing is delivered to an inactive endpoint."""

    code = "webhook_inactive"

    def __init__(self) -> None:
        super().__init__("Webhook is not active")


class TooManyWebhooks(DomainError):
    code = "too_many_webhooks"

    def __init__(self) -> None:
        super().__init__(f"A tenant has {MAX_ENDPOINTS} webhooks at most")


@dataclass(frozen=True)
class EndpointWithSecret:
    """An endpoint and its new secret, which is shown now and never again."""

    endpoint: Endpoint
    secret: str


@transaction.atomic
def create_endpoint(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> EndpointWithSecret:
    """Create an endpoint. Events that are committed from now on are delivered to it. Raises: TooManyWebhooks."""
    # First, because it locks the tenant: otherwise concurrent calls could exceed MAX_ENDPOINTS.
    bump_catalog_version(tenant)
    if Endpoint.objects.of(tenant).count() >= MAX_ENDPOINTS:
        raise TooManyWebhooks
    secret = new_secret()
    endpoint = Endpoint.objects.create(
        tenant=tenant, ciphertext=encrypt(secret), created_at=now, updated_at=now, **data
    )
    _record(endpoint, created(endpoint, *SETTINGS), now=now)
    return EndpointWithSecret(endpoint, secret)


@transaction.atomic
def update_endpoint(endpoint: Endpoint, *, changes: Mapping[str, Any], now: datetime) -> Endpoint:
    """Write the fields in `changes`. Activating an endpoint clears its failures, and its pending deliveries are sent."""
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
    before = {name: getattr(endpoint, name) for name in changes if name in SETTINGS}
    for name, value in changes.items():
        setattr(endpoint, name, value)
    endpoint.updated_at = now
    endpoint.save(update_fields=[*changes, "updated_at"])
    _record(endpoint, updated(before, endpoint) | ({"secret": HIDDEN} if "ciphertext" in changes else {}), now=now)


def _record(endpoint: Endpoint, changes: Changes, *, now: datetime) -> None:
    record_change(
        endpoint, object_type="webhook", code=endpoint.url, changes=changes, tenant_id=endpoint.tenant_id, now=now
    )


@transaction.atomic
def delete_endpoint(endpoint: Endpoint, *, now: datetime) -> None:
    """Delete an endpoint and all its deliveries. Pending deliveries are not sent."""
    Delivery.objects.of(endpoint).delete()
    bump_catalog_version(endpoint.tenant)
    _record(endpoint, removed(endpoint, *SETTINGS), now=now)
    endpoint.delete()


@transaction.atomic
def rotate_secret(endpoint: Endpoint, *, now: datetime) -> EndpointWithSecret:
    """Replace the secret. For 24 hours, deliveries are signed with both secrets, so that the receiver can be changed in this time."""
    secret = new_secret()
    former = {"former_ciphertext": endpoint.ciphertext, "former_until": now + FORMER_IS_VALID_FOR}
    _write(endpoint, {"ciphertext": encrypt(secret), **former}, now=now)
    return EndpointWithSecret(endpoint, secret)


@restartable
def send_test(*, endpoint: Endpoint, now: datetime) -> Delivery:
    """Emit `webhook.test` and deliver it to this endpoint only, whichever events it subscribes to. Raises: WebhookInactive."""
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
    """Disable an endpoint and emit `webhook.disabled`. Do nothing if it is inactive already."""
    with unit_of_work(endpoint.tenant, [], now=now) as work:
        row = work.lock(Endpoint, endpoint.pk)
        if row is None or not row.is_active:
            return
        _write(row, {"is_active": False, "disabled_at": now, "disabled_because": reason}, now=now)
        bump_catalog_version(endpoint.tenant)
        work.emit_for_tenant("webhook.disabled", _disabled_data(row, reason))


def _disabled_data(row: Endpoint, reason: DisabledReason) -> dict[str, Any]:
    since = row.failing_since and instant_text(row.failing_since)
    return {"webhook_id": str(row.pk), "url": row.url, "reason": reason.value, "failing_since": since}
