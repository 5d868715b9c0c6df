from typing import Any

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from participants.engine import uuid_of
from participants.ids import new_id
from participants.models.roles import sees_all_tenants


def default_participant_writes() -> int:
    return int(settings.DEFAULT_PARTICIPANT_WRITES_PER_MINUTE)


def default_key_requests() -> int:
    return int(settings.DEFAULT_KEY_REQUESTS_PER_MINUTE)


class Environment(models.TextChoices):
    LIVE = "live"
    SANDBOX = "sandbox"


class TenantQuerySet(models.QuerySet["Tenant"]):
    def live(self) -> "TenantQuerySet":
        return self.filter(environment=Environment.LIVE)

    def open_to(self, user: Any) -> "TenantQuerySet":
        """The tenants whose data `user` may see: by a role in the tenant, or in its live tenant."""
        if sees_all_tenants(user):
            return self
        return self.filter(Q(memberships__user=user.pk) | Q(live__memberships__user=user.pk)).distinct()

    def with_open(self, user: Any) -> "TenantQuerySet":
        """The live tenants whose data, or whose sandbox, `user` may see."""
        if sees_all_tenants(user):
            return self.live()
        return self.live().filter(Q(memberships__user=user.pk) | Q(sandbox__memberships__user=user.pk)).distinct()


class Tenant(models.Model):
    """One customer of the installation in one environment, live or sandbox. All other data belongs to one tenant.

    Every live tenant has exactly one sandbox: a second row with the same public slug, and with its own id, data and definitions.
    `catalog_version` grows with every change of a definition, in the transaction of that change.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=64)
    environment = models.CharField(
        max_length=8, choices=Environment.choices, default=Environment.LIVE, db_default=Environment.LIVE
    )
    live = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="sandbox")
    name = models.CharField(max_length=255)
    timezone = models.CharField(
        max_length=64, default="UTC", db_default="UTC", help_text="IANA name, such as Europe/Berlin."
    )
    is_active = models.BooleanField(default=True, db_default=True)
    catalog_version = models.PositiveBigIntegerField(default=1, db_default=1, editable=False)
    participant_writes_per_minute = models.PositiveIntegerField(
        default=default_participant_writes,
        db_default=300,
        validators=[MinValueValidator(0)],
        help_text="Writes one participant may cause per minute; 0 switches the cap off.",
    )
    key_requests_per_minute = models.PositiveIntegerField(
        default=default_key_requests,
        db_default=60_000,
        validators=[MinValueValidator(0)],
        help_text="Requests one API key may make per minute; 0 switches the cap off.",
    )
    requires_second_factor = models.BooleanField(
        default=False,
        db_default=False,
        help_text="All who can open this tenant must set up a second factor before they can use the console.",
    )
    support_points_per_day = models.PositiveBigIntegerField(
        default=1000,
        db_default=1000,
        help_text="Points by which one person with the role support may adjust balances per day (UTC), up and down together; 0: none.",
    )
    point_value = models.DecimalField(
        "value of a point",
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="What a point costs you, such as 0.01. The overview then also shows points in money.",
    )
    point_currency = models.CharField(
        "currency", max_length=3, null=True, blank=True, help_text="Three letters (ISO 4217), such as EUR."
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering = ["slug", "environment"]
        constraints = [
            models.UniqueConstraint(fields=["slug", "environment"], name="tenant_slug_unique"),
            models.CheckConstraint(
                condition=Q(environment="live", live__isnull=True) | Q(environment="sandbox", live__isnull=False),
                name="tenant_sandbox_has_live",
            ),
            models.CheckConstraint(
                condition=models.Q(point_currency__isnull=True, point_value__isnull=True)
                | models.Q(point_currency__isnull=False, point_value__gt=0),
                name="tenant_point_value_has_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (sandbox)" if self.is_sandbox else self.name

    def is_named(self, name: str) -> bool:
        """Whether callers of this row may call it `name`: its slug or its id, and for a sandbox also the id of its live tenant."""
        named_id = uuid_of(name)
        return name == self.slug or (named_id is not None and named_id in {self.pk, self.live_id})

    @property
    def is_sandbox(self) -> bool:
        return self.environment == Environment.SANDBOX
