from django.db import models

from participants.ids import new_id
from participants.models.tenants import Tenant


class AuditRun(models.Model):
    """The newest audit of one tenant. It read `rows` rows and found `drifts` disagreements.

    `began_at` is the start of the newest audit. `audited_at` is the start of the newest audit that ended, whose numbers `rows` and
    `drifts` are; it is null until an audit has ended. So an audit that never ends is visible, and does not delay other tenants.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="audit_run")
    began_at = models.DateTimeField()
    audited_at = models.DateTimeField(null=True)
    rows = models.PositiveBigIntegerField(default=0, db_default=0)
    drifts = models.PositiveBigIntegerField(default=0, db_default=0)
