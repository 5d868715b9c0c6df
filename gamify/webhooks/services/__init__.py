"""Services of webhooks and the feed: endpoints, feed positions, deliveries, retries, replays and retention."""

from gamify.webhooks.services.delivery_loop import deliver_due, stop
from gamify.webhooks.services.endpoints import (
    EndpointWithSecret,
    TooManyWebhooks,
    WebhookInactive,
    WebhookNotFound,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    send_test,
    update_endpoint,
)
from gamify.webhooks.services.feed import LATEST, CursorExpired, read_feed, start_position
from gamify.webhooks.services.replaying import DeliveryNotFound, EventGone, Span, replay, replay_span
from gamify.webhooks.services.retention import forget_erased_ids, prune_deliveries, prune_events
from gamify.webhooks.services.sequencing import assign_all_positions

__all__ = [
    "LATEST",
    "CursorExpired",
    "DeliveryNotFound",
    "EndpointWithSecret",
    "EventGone",
    "Span",
    "TooManyWebhooks",
    "WebhookInactive",
    "WebhookNotFound",
    "assign_all_positions",
    "create_endpoint",
    "delete_endpoint",
    "deliver_due",
    "forget_erased_ids",
    "prune_deliveries",
    "prune_events",
    "read_feed",
    "replay",
    "replay_span",
    "rotate_secret",
    "send_test",
    "start_position",
    "stop",
    "update_endpoint",
]
