"""Webhooks and the event feed: domain events of the outbox, sent to endpoints and offered in order to readers."""
