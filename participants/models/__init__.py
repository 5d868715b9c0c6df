"""Tables of the bottom layer, a topic per module."""

from participants.models.events import DomainEvent
from participants.models.idempotency import IdempotencyKey
from participants.models.keys import ApiKey
from participants.models.participants import Participant
from participants.models.tenants import Tenant

__all__ = ["ApiKey", "DomainEvent", "IdempotencyKey", "Participant", "Tenant"]
