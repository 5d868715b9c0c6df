from typing import Self, TypeVar

from django.db import models

from participants.ids import new_id
from participants.models.tenants import Tenant

D = TypeVar("D", bound="Definition")


class DefinitionQuerySet(models.QuerySet[D]):
    def of(self, tenant: Tenant) -> Self:
        return self.filter(tenant_id=tenant.pk)

    def active(self) -> Self:
        return self.filter(is_active=True)

    def in_order(self) -> Self:
        return self.order_by("display_order", "code")


class Definition(models.Model):
    """Base of everything that operations staff configure for one tenant. Its code never changes. Deleting deactivates the row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    code = models.CharField(max_length=50)
    name = models.CharField(max_length=100)
    description = models.TextField(null=True, blank=True)
    is_active = models.BooleanField(default=True, db_default=True)
    display_order = models.IntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        abstract = True
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="%(class)s_code_unique")]

    def __str__(self) -> str:
        return self.name
