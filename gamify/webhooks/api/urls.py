from typing import Any

from django.urls import path

from gamify.webhooks.api.admin import DeliveriesViewSet, WebhooksViewSet
from gamify.webhooks.api.feed import FeedViewSet

_one: dict[str, Any] = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
_webhook = "admin/webhooks/<str:webhook_id>"

urlpatterns = [
    path("admin/webhooks", WebhooksViewSet.as_view({"get": "list", "post": "create"})),
    path(_webhook, WebhooksViewSet.as_view(_one)),
    path(f"{_webhook}/test", WebhooksViewSet.as_view({"post": "test"})),
    path(f"{_webhook}/rotate-secret", WebhooksViewSet.as_view({"post": "rotate"})),
    path(f"{_webhook}/replay", WebhooksViewSet.as_view({"post": "replay"})),
    path(f"{_webhook}/deliveries", DeliveriesViewSet.as_view({"get": "list"})),
    path(f"{_webhook}/deliveries/<str:delivery_id>/replay", DeliveriesViewSet.as_view({"post": "replay"})),
    path("admin/feed", FeedViewSet.as_view({"get": "retrieve"})),
    path("admin/feed/stream", FeedViewSet.as_view({"get": "stream"})),
]
