"""Events get their place in the feed, are delivered to endpoints, tried again, replayed, and removed when they are old."""

from gamify.webhooks.services.endpoints import (
    TooManyWebhooks,
    WebhookInactive,
    WebhookNotFound,
    WithSecret,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
    update_endpoint,
)
from gamify.webhooks.services.feed import LATEST, CursorExpired, cursor_at, read_feed
from gamify.webhooks.services.pumping import pump, stop
from gamify.webhooks.services.replaying import DeliveryNotFound, EventGone, Span, replay, replay_span
from gamify.webhooks.services.retention import forget_erased_ids, prune_deliveries, prune_events
from gamify.webhooks.services.sequencing import place_all
from gamify.webhooks.services.wiring import register

__all__ = [
    "LATEST",
    "CursorExpired",
    "DeliveryNotFound",
    "EventGone",
    "Span",
    "TooManyWebhooks",
    "WebhookInactive",
    "WebhookNotFound",
    "WithSecret",
    "create_endpoint",
    "cursor_at",
    "delete_endpoint",
    "forget_erased_ids",
    "place_all",
    "prune_deliveries",
    "prune_events",
    "pump",
    "read_feed",
    "register",
    "replay",
    "replay_span",
    "rotate_secret",
    "send_test",
    "stop",
    "update_endpoint",
]
