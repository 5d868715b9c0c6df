from django.db import models

from participants.ids import new_id
from participants.models.json import JSONField
from participants.models.tenants import Tenant


class DomainEvent(models.Model):
    """One thing the product tells the outside, written in the transaction of the change it tells of (the outbox).

    `type` is registered in `participants.events`. `participant_id` is null for what concerns no single participant; it is
    no foreign key, since the event that someone was erased outlives them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    participant_id = models.UUIDField(null=True)
    type = models.CharField(max_length=60)
    data = JSONField()
    occurred_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "id"], name="domain_event_order"),
            models.Index(fields=["tenant", "participant_id", "id"], name="domain_event_participant"),
        ]
