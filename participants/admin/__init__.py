"""Console pages of tenants, keys, secrets and participants, and the building blocks of all console pages."""

from participants.admin import keys, people, tenants

__all__ = ["keys", "people", "tenants"]
