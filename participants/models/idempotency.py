from django.db import models

from participants.ids import new_id
from participants.models.json import JSONField
from participants.models.rows import TenantRow


class IdempotencyKey(TenantRow):
    """One operation that succeeded. A repeat of (tenant, operation, subject, key) gets `answer` back and changes nothing.

    - `subject` is the participant's id, or the tenant's id for the header key of a batch.
    - `digest` identifies the content of the request. A repeat with another digest is refused.
    - `answer` does not contain the participant's id, which the repeat supplies. So nothing of an erased participant survives here.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
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
