from django.db import models
from django.db.models import Q

from participants.ids import new_id
from participants.models.actors import Attributed
from participants.models.tenants import Tenant


class ChangeQuerySet(models.QuerySet["ConfigurationChange"]):
    def newest_first(self) -> "ChangeQuerySet":
        return self.order_by("-id")  # ids are ordered by time


class ConfigurationChange(Attributed):
    """One change of something that staff configure: a definition, a tenant, a key, a secret, a webhook, a staff account.

    Rows are only inserted.

    - `object_type`, `object_id`, `code`: what changed. `code` is its name for people, and stays when the object is deleted.
    - `number`: 1, 2, 3 … per definition: the version that the change made. It is null for other objects.
    - `changes`: `{field: {"before", "after"}}`. Secrets are not in it; see `participants.services.changes`.
    - `tenant` is null for staff accounts, which belong to no tenant.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, related_name="+", null=True, db_index=False, db_constraint=False
    )
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40)
    code = models.CharField(max_length=255)
    number = models.PositiveIntegerField(null=True)
    changes = models.JSONField()
    reason = models.TextField(null=True)
    created_at = models.DateTimeField("changed at")

    objects = ChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "object_type", "object_id", "number"],
                condition=Q(number__isnull=False),
                name="configuration_change_number_unique",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], name="configuration_change_newest"),
            models.Index(fields=["tenant", "object_type", "object_id", "id"], name="configuration_change_object"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.code}"
