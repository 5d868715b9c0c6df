"""Console pages of the bottom layer, and what the pages of the domains above are made of."""

from participants.admin import hmac, keys, people, tenants

__all__ = ["hmac", "keys", "people", "tenants"]
