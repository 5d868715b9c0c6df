"""Tables of the bottom layer, one topic per module."""

from participants.models.actors import Attributed
from participants.models.audits import AuditRun
from participants.models.changes import ConfigurationChange
from participants.models.definitions import Definition
from participants.models.events import DomainEvent
from participants.models.figures import DailyFigure, FigureRun
from participants.models.hmac import HmacSecret
from participants.models.idempotency import IdempotencyKey
from participants.models.imports import FileImport
from participants.models.keys import ApiKey
from participants.models.leases import LEASE, MAX_ATTEMPTS, Leased, LeasedQuerySet
from participants.models.memberships import Membership
from participants.models.participants import Participant
from participants.models.removals import Removal
from participants.models.roles import ROLES, Capability, Role
from participants.models.rows import ParticipantRow, ParticipantRowQuerySet, TenantRow
from participants.models.tenants import Tenant

__all__ = [
    "LEASE",
    "MAX_ATTEMPTS",
    "ROLES",
    "ApiKey",
    "Attributed",
    "AuditRun",
    "Capability",
    "ConfigurationChange",
    "DailyFigure",
    "Definition",
    "DomainEvent",
    "FigureRun",
    "FileImport",
    "HmacSecret",
    "IdempotencyKey",
    "Leased",
    "LeasedQuerySet",
    "Membership",
    "Participant",
    "ParticipantRow",
    "ParticipantRowQuerySet",
    "Removal",
    "Role",
    "Tenant",
    "TenantRow",
]
