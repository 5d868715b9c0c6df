"""Webhooks and their deliveries, for keys with the admin scope."""

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from gamify.webhooks import selectors, services
from gamify.webhooks.api import examples
from gamify.webhooks.api.serializers import (
    Deleted,
    DeliveriesQuery,
    DeliveryAnswer,
    Replayed,
    ReplayQuery,
    WebhookAnswer,
    WebhookWithSecret,
)
from gamify.webhooks.definitions import NewWebhook, WebhookChanges
from gamify.webhooks.models import Endpoint
from gamify.webhooks.services import (
    DeliveryNotFound,
    EventGone,
    Span,
    TooManyWebhooks,
    WebhookInactive,
    WebhookNotFound,
)
from participants.api.definitions import DefinitionFilter
from participants.api.filters import FilterBackend
from participants.api.pagination import Page
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render, validate
from participants.api.warnings import ignored_fields, with_warnings
from participants.errors import InvalidInput
from participants.work import reading

UNKNOWN = WebhookNotFound(examples.WEBHOOK_ID)
NOT_PUBLIC = InvalidInput("url", "127.0.0.1 is not a public address.")
UNKNOWN_TYPE = InvalidInput("event_types.0", "There is no event type 'streaks.*'.")


class OneWebhookViewSet(AdminViewSet, GenericViewSet[Any]):
    pagination_class = Page
    queryset = Endpoint.objects.none()

    def endpoint(self, webhook_id: str) -> Endpoint:
        """Return the tenant's webhook with this id. Raises: WebhookNotFound."""
        endpoint = selectors.find_endpoint(self.tenant, webhook_id)
        if endpoint is None:
            raise WebhookNotFound(webhook_id)
        return endpoint


class WebhooksViewSet(OneWebhookViewSet):
    filter_backends = [FilterBackend]
    filterset_class = DefinitionFilter
    serializer_class = WebhookAnswer

    @operation("list_webhooks", answer=WebhookAnswer(many=True), example=examples.LISTED)
    def list(self, request: Request) -> Response:
        """Your tenant's webhooks, oldest first."""
        with reading(self.tenant):
            page = self.paginate_queryset(self.filter_queryset(Endpoint.objects.of(self.tenant)))
            return self.get_paginated_response(WebhookAnswer(page, many=True).data)

    @operation(
        "create_webhook",
        body=NewWebhook,
        answer=WebhookWithSecret,
        status=201,
        errors=[TooManyWebhooks(), NOT_PUBLIC, UNKNOWN_TYPE],
        example=examples.CREATED,
    )
    def create(self, request: Request) -> Response:
        """Register an address of yours: events are sent to it as they happen. Only this answer contains the secret."""
        created = services.create_endpoint(tenant=self.tenant, data=self.body(NewWebhook), now=self.now)
        warnings = ignored_fields(request.data, NewWebhook())
        return Response(with_warnings(_with_secret(created), warnings), status=201)

    @operation("get_webhook", answer=WebhookAnswer, errors=[UNKNOWN], example=examples.SHOWN)
    def retrieve(self, request: Request, webhook_id: str) -> Response:
        """One webhook."""
        with reading(self.tenant):
            return Response(render(WebhookAnswer, self.endpoint(webhook_id)))

    @operation(
        "update_webhook",
        body=WebhookChanges,
        answer=WebhookAnswer,
        errors=[UNKNOWN, NOT_PUBLIC, UNKNOWN_TYPE],
        example=examples.CHANGED,
    )
    def partial_update(self, request: Request, webhook_id: str) -> Response:
        """Change only the given fields of a webhook. Activating a disabled webhook resumes its pending deliveries."""
        with transaction.atomic():
            endpoint = self.endpoint(webhook_id)
            before = render(WebhookAnswer, endpoint)
            changes = validate(WebhookChanges, request.data, instance=endpoint)
            changed = services.update_endpoint(endpoint, changes=changes, now=self.now)
        warnings = ignored_fields(request.data, WebhookChanges(), current=lambda: before)
        return Response(with_warnings(render(WebhookAnswer, changed), warnings))

    @operation("delete_webhook", answer=Deleted, errors=[UNKNOWN], example=examples.DELETED)
    def destroy(self, request: Request, webhook_id: str) -> Response:
        """Delete a webhook and the log of its deliveries. Pending deliveries are not sent."""
        services.delete_endpoint(self.endpoint(webhook_id), now=self.now)
        return Response({"message": "Webhook deleted"})

    @operation("test_webhook", answer=DeliveryAnswer, errors=[UNKNOWN, WebhookInactive()], example=examples.TESTED)
    def test(self, request: Request, webhook_id: str) -> Response:
        """Send an event `webhook.test` to this webhook only, whichever events it subscribes to. See its deliveries for the result."""
        delivery = services.send_test(endpoint=self.endpoint(webhook_id), now=self.now)
        return Response(render(DeliveryAnswer, delivery))

    @operation("rotate_webhook_secret", answer=WebhookWithSecret, errors=[UNKNOWN], example=examples.ROTATED)
    def rotate(self, request: Request, webhook_id: str) -> Response:
        """Replace the secret. Only this answer contains the new one. For 24 hours, deliveries carry a signature of each secret."""
        return Response(_with_secret(services.rotate_secret(self.endpoint(webhook_id), now=self.now)))

    @operation(
        "replay_webhook",
        query=ReplayQuery,
        answer=Replayed,
        errors=[UNKNOWN, InvalidInput("from", "This field is required.")],
        example=examples.REPLAYED,
    )
    def replay(self, request: Request, webhook_id: str) -> Response:
        """Deliver the events of a period again, with the same ids. At most 100,000 deliveries in one call."""
        query = self.query(ReplayQuery)
        span = Span(query["from"], query.get("to", self.now))
        endpoint = self.endpoint(webhook_id)
        count = services.replay_span(endpoint, span, status=query.get("status"), now=self.now)
        return Response({"replayed": count})


def _with_secret(shown: services.EndpointWithSecret) -> dict[str, Any]:
    shown.endpoint.secret = shown.secret  # type: ignore[attr-defined]  # for this answer only
    return render(WebhookWithSecret, shown.endpoint)


class DeliveriesViewSet(OneWebhookViewSet):
    serializer_class = DeliveryAnswer

    @operation(
        "list_webhook_deliveries",
        query=DeliveriesQuery,
        answer=DeliveryAnswer(many=True),
        errors=[UNKNOWN],
        example=examples.DELIVERED,
    )
    def list(self, request: Request, webhook_id: str) -> Response:
        """The deliveries of a webhook, newest event first, with the answer and the duration of each try."""
        with reading(self.tenant):
            rows = selectors.deliveries_of(self.endpoint(webhook_id)).filter(**self.query(DeliveriesQuery))
            page = self.paginate_queryset(rows)
            return self.get_paginated_response(DeliveryAnswer(page, many=True).data)

    @operation(
        "replay_webhook_delivery",
        answer=DeliveryAnswer,
        errors=[UNKNOWN, DeliveryNotFound(examples.DELIVERY_ID), EventGone()],
        example=examples.DELIVERED_AGAIN,
    )
    def replay(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        """Send this delivery again with the same event id, whatever its status."""
        delivery = selectors.find_delivery(self.endpoint(webhook_id), delivery_id)
        if delivery is None:
            raise DeliveryNotFound(delivery_id)
        return Response(render(DeliveryAnswer, services.replay(delivery, now=self.now)))
