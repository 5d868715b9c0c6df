"""Webhooks and the event feed: what the outbox tells, pushed to endpoints and kept in order for readers."""
