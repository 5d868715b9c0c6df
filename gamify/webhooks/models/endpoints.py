"""Endpoints: the addresses that receive a tenant's domain events."""

from django.db import models
from django.db.models import Q

from gamify.webhooks.engine.targets import MAX_ADDRESS
from participants.ids import new_id
from participants.models import Tenant


class DisabledReason(models.TextChoices):
    """Why the product disabled an endpoint."""

    GONE = "gone", "it answered 410 Gone"
    FAILING = "failing", "it failed for five days"


class EndpointQuerySet(models.QuerySet["Endpoint"]):
    def of(self, tenant: Tenant) -> "EndpointQuerySet":
        return self.filter(tenant_id=tenant.pk)

    def active(self) -> "EndpointQuerySet":
        return self.filter(is_active=True)


class Endpoint(models.Model):
    """One address of a tenant, the event types it subscribes to (`engine.globs`), and the secret that signs its deliveries.

    - `ciphertext` is the secret, encrypted by `participants.secrets`. Until `former_until` the former secret signs as well.
    - `failing_since` is the time of the first failure after the last success.
    - `failed_at` is the time of the last failure, within some seconds, whatever succeeded since.
    - `disabled_because` is set when the product disables an endpoint; such an endpoint is never active. Its deliveries wait until
      somebody activates it again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    url = models.CharField("address", max_length=MAX_ADDRESS)
    description = models.CharField(max_length=255, null=True, blank=True)
    event_types = models.JSONField()
    is_active = models.BooleanField("active", default=True, db_default=True)
    ciphertext = models.TextField(editable=False)
    former_ciphertext = models.TextField(null=True, editable=False)
    former_until = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)
    disabled_at = models.DateTimeField(null=True, editable=False)
    disabled_because = models.CharField(max_length=8, null=True, editable=False, choices=DisabledReason.choices)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        verbose_name = "webhook"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_because=None) | Q(is_active=False), name="endpoint_disabled_is_inactive"
            )
        ]

    def __str__(self) -> str:
        return self.url
