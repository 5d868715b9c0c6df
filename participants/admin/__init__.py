"""Console pages of tenants, keys, secrets and participants, and the building blocks of all console pages."""

from participants.admin import changes, keys, people, tenants

__all__ = ["changes", "keys", "people", "tenants"]
