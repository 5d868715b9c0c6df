from django.db import models

from participants.ids import new_id
from participants.models.json import JSONField
from participants.models.tenants import Tenant


class IdempotencyKey(models.Model):
    """One success that must not happen again: a repeat of (tenant, operation, subject, key) gets `answer` back.

    `subject` is the participant's id, or the tenant's for the header of a batch. `digest` says what was asked; a repeat
    that asks for something else is refused. The answer names no participant: it is told again from the repeat, so that
    nothing of an erased participant survives here.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    operation = models.CharField(max_length=40)
    subject = models.UUIDField()
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    answer = JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "subject", "operation", "key"], name="idempotency_key_unique")
        ]
