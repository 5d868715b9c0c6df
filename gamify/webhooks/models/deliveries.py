"""Deliveries of domain events to endpoints."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from gamify.webhooks.models.endpoints import Endpoint
from participants.ids import new_id
from participants.models import TenantRow

DOMAIN_EVENT = "participants.DomainEvent"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def of(self, endpoint: Endpoint) -> "DeliveryQuerySet":
        return self.filter(tenant_id=endpoint.tenant_id, endpoint_id=endpoint.pk)

    def due(self, now: datetime) -> "DeliveryQuerySet":
        return self.filter(due_at__lte=now)


class Delivery(TenantRow):
    """One event for one endpoint. It has no copy of the event's content, which is read when it is sent. So the content of an erased
    event is never sent.

    - A pending delivery is tried at `due_at`. The worker that claims it moves `due_at` ahead, by more than a try can take, and sets
      its own `lease`. If the worker dies, another one continues at `due_at`.
    - `tries` counts since the last replay.
    - `log` has one entry per try, oldest first: `[at, status or null, milliseconds, error or null]`.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    endpoint = models.ForeignKey(
        Endpoint, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    event = models.ForeignKey(
        DOMAIN_EVENT, on_delete=models.DO_NOTHING, related_name="+", db_index=False, db_constraint=False
    )
    type = models.CharField(max_length=60)
    status = models.CharField(
        max_length=9, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING, db_default=DeliveryStatus.PENDING
    )
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    due_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True, editable=False)
    log = models.JSONField(default=list, db_default=[])
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [models.Index(fields=["endpoint", "due_at"], name="delivery_due", condition=~Q(due_at=None))]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "endpoint", "event"], name="delivery_unique"),
            models.CheckConstraint(
                condition=Q(status="pending", due_at__isnull=False) | (~Q(status="pending") & Q(due_at__isnull=True)),
                name="delivery_pending_is_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
