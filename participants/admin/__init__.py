"""Console pages of tenants, keys, secrets and participants, and the building blocks of all console pages."""

from participants.admin import hmac, keys, people, tenants

__all__ = ["hmac", "keys", "people", "tenants"]
