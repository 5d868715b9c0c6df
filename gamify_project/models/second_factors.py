from django.db import models
from django_otp.models import Device, DeviceManager


class SecondFactor(Device):  # type: ignore[misc]
    """The authenticator app of one user, which shows time-based codes (TOTP, RFC 6238).

    A user has at most one that is `confirmed`, and one that waits for its first code. The key must be read to check a code, so
    it is stored, encrypted (`participants.secrets`). `last_step` is the time step of the last accepted code: no code of this or
    an earlier step is accepted again. `failures` counts wrong codes since the last right one.
    """

    confirmed = models.BooleanField(default=False, db_default=False)
    ciphertext = models.TextField(editable=False)
    last_step = models.BigIntegerField(default=-1, db_default=-1)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    failed_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects: "models.Manager[SecondFactor]" = DeviceManager()

    class Meta:
        verbose_name = "second factor"
        constraints = [models.UniqueConstraint(fields=["user", "confirmed"], name="second_factor_unique")]

    def __str__(self) -> str:
        return f"Second factor {self.pk}"


class RecoveryCode(models.Model):
    """One code that replaces the authenticator app once. Only its SHA-256 is stored."""

    factor = models.ForeignKey(SecondFactor, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["factor", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return f"Recovery code {self.pk}"
