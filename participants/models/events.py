from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from participants.ids import new_id
from participants.models.actors import Attributed
from participants.models.json import JSONField
from participants.models.rows import TenantRow


class DomainEvent(Attributed, TenantRow):
    """One domain event: something that the product did. It is written in the transaction of that change (the outbox).

    - `type` is registered in `participants.events`.
    - `participant_id` is null if the event concerns no single participant. It is not a foreign key, because the event
      `participant.deleted` outlives its participant.
    - `position` is the event's place in the tenant's feed. It is assigned once, after the commit, and null until then. So a reader
      who has read up to a position never misses an event that is committed later.
    - `written_at` comes from the clock of the database, which is the same for all writers. It decides which of two events of a
      participant is first.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    participant_id = models.UUIDField(null=True)
    type = models.CharField(max_length=60)
    data = JSONField()
    occurred_at = models.DateTimeField()
    written_at = models.DateTimeField(db_default=Now(), editable=False)
    position = models.BigIntegerField(null=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "participant_id", "id"], name="domain_event_participant"),
            models.Index(fields=["tenant", "actor", "id"], name="domain_event_actor"),
            models.Index(fields=["tenant", "id"], name="domain_event_newest"),
            models.Index(fields=["tenant", "written_at"], name="domain_event_unplaced", condition=Q(position=None)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "position"], name="domain_event_position_unique", condition=~Q(position=None)
            )
        ]
