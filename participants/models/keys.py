from datetime import datetime

from django.db import models
from django.db.models import F, Q

from participants.ids import new_id
from participants.models.tenants import Tenant


class Scope(models.TextChoices):
    """What a key may do in addition to the participant endpoints, which every active key may use."""

    ADMIN = "admin"
    GAMIFY_ADMIN = "gamify:admin"
    PLATFORM = "platform"
    CODES = "codes"


class ApiKey(models.Model):
    """One API key, which gives access to one tenant row, live or sandbox.

    The key itself is shown once and never stored. `digest` is its SHA-256. `prefix` is its beginning, by which people recognise it.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, blank=True, default="", db_default="")
    prefix = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(default=list, db_default=[], blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [
            # Without the tenant, because a key is looked up before its tenant is known.
            models.UniqueConstraint(fields=["digest"], name="api_key_digest_unique"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="api_key_expires_later"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "prefix"], name="api_key_prefix")]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def is_active_at(self, now: datetime) -> bool:
        """Whether the key is neither revoked nor expired at `now`."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    def has_scope(self, *scopes: str) -> bool:
        """Whether this key has any of `scopes`."""
        return any(scope in self.scopes for scope in scopes)
