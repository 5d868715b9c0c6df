"""Webhooks in the console: the endpoints and their deliveries."""

from gamify.webhooks.admin import deliveries, webhooks

__all__ = ["deliveries", "webhooks"]
