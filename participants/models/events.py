from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from participants.ids import new_id
from participants.models.json import JSONField
from participants.models.tenants import Tenant


class DomainEvent(models.Model):
    """One thing the product tells the outside, written in the transaction of the change it tells of (the outbox).

    `type` is registered in `participants.events`. `participant_id` is null for what concerns no single participant; it is
    no foreign key, since the event that someone was erased outlives them.

    `position` is its place in the tenant's feed, given after the commit, once, and null until then: whoever has read up to
    a position never misses what is committed later. `written_at` is the database's clock, one for all who write, and decides
    which of two events of a participant comes first.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant_id = models.UUIDField(null=True)
    type = models.CharField(max_length=60)
    data = JSONField()
    occurred_at = models.DateTimeField()
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    position = models.BigIntegerField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "participant_id", "id"], name="domain_event_participant"),
            models.Index(fields=["tenant", "written_at"], name="domain_event_unplaced", condition=Q(position=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "position"], name="domain_event_position_unique", condition=~Q(position=None)
            )
        ]
