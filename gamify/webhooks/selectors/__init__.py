"""Reads of webhooks: subscriptions, deliveries and the feed."""

from gamify.webhooks.selectors.catalog import wanted_types
from gamify.webhooks.selectors.endpoints import deliveries_of, find_delivery, find_endpoint, undelivered_of

__all__ = ["deliveries_of", "find_delivery", "find_endpoint", "undelivered_of", "wanted_types"]
