from django.db import models

from participants.ids import new_id
from participants.models.tenants import Tenant


class AuditRun(models.Model):
    """The newest audit of one tenant: it read `rows` rows, and `drifts` times found that they do not agree.

    `began_at` is when the newest was begun, `audited_at` when the newest began that came to an end, to which the numbers belong; null
    while none has. So one that never ends is seen, and stands behind the others until its turn comes again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="audit_run")
    began_at = models.DateTimeField()
    audited_at = models.DateTimeField(null=True)
    rows = models.PositiveBigIntegerField(default=0)
    drifts = models.PositiveBigIntegerField(default=0)
