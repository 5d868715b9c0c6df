from django.db import models

from participants.ids import new_id
from participants.models.tenants import Tenant


class HmacSecretQuerySet(models.QuerySet["HmacSecret"]):
    def active(self) -> "HmacSecretQuerySet":
        return self.filter(revoked_at=None)


class HmacSecret(models.Model):
    """One secret with which a partner signs queries about one tenant row, live or sandbox.

    Checking a signature needs the text of the secret, so it is stored, encrypted (`participants.secrets`). It is still shown only
    once. A tenant may have several active secrets, so that a partner can switch from an old one to a new one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="hmac_secrets")
    name = models.CharField(max_length=100, blank=True, default="", db_default="")
    ciphertext = models.TextField(editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField()

    objects = HmacSecretQuerySet.as_manager()

    class Meta:
        verbose_name = "partner secret"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Partner secret {self.pk}"
