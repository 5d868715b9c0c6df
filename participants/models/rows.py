"""Abstract models for big tables, whose foreign keys have no constraint (docs/decisions/0003)."""

from typing import Self, TypeVar

from django.db import models

from participants.models.participants import Participant
from participants.models.tenants import Tenant


class TenantRow(models.Model):
    """A row of one tenant in a big table.

    The key has no constraint: otherwise every insert would lock the one tenant row. It has no index of its own, because indexes and
    unique constraints of such a table begin with the tenant.
    """

    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        abstract = True


P = TypeVar("P", bound="ParticipantRow")


class ParticipantRowQuerySet(models.QuerySet[P]):
    def of(self, participant: Participant) -> Self:
        return self.filter(tenant_id=participant.tenant_id, participant_id=participant.pk)


class ParticipantRow(TenantRow):
    """A row about one participant in a big table. The domain's eraser takes care of it when the participant is erased.

    Keys to definitions have no constraint either: a definition is deactivated and never deleted.
    """

    participant = models.ForeignKey(
        Participant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )

    class Meta:
        abstract = True
