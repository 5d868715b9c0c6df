from django.conf import settings
from django.db import models

from participants.ids import new_id
from participants.models.roles import ROLES, Role
from participants.models.tenants import Tenant


class MembershipQuerySet(models.QuerySet["Membership"]):
    def of(self, tenant: Tenant) -> "MembershipQuerySet":
        return self.filter(tenant_id=tenant.pk)


class Membership(models.Model):
    """A user of the console has a role in a tenant. A role in a live tenant also holds in its sandbox, unless there is another one there.

    `role` is the name of one of ROLES. A process of this release that reads the name of a later role grants nothing.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20)
    created_at = models.DateTimeField("since", editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "member"
        ordering = ["user__username"]
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="membership_unique")]

    def __str__(self) -> str:
        return f"{self.user} as {self.role}"

    @property
    def granted(self) -> Role | None:
        """The role; None if this release does not know it."""
        return ROLES.get(self.role)
