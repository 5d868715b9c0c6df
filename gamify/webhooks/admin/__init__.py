"""Webhooks in the console: where events are delivered, and what became of each."""

from gamify.webhooks.admin import deliveries, webhooks

__all__ = ["deliveries", "webhooks"]
