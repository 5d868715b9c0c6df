from datetime import datetime

from django.db import models
from django.db.models import Q

from participants.ids import new_id
from participants.models import Attributed, Tenant, TenantRow


class ExportStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    NDJSON = "ndjson", "NDJSON"


UNFINISHED = (ExportStatus.QUEUED, ExportStatus.RUNNING)


class ExportQuerySet(models.QuerySet["Export"]):
    def of(self, tenant: Tenant) -> "ExportQuerySet":
        return self.filter(tenant_id=tenant.pk)

    def unfinished(self) -> "ExportQuerySet":
        return self.filter(status__in=UNFINISHED)

    def free(self, now: datetime) -> "ExportQuerySet":
        """Unfinished exports that no worker builds. The lease of a killed worker runs out."""
        return self.unfinished().filter(Q(leased_until=None) | Q(leased_until__lt=now))

    def expired(self, now: datetime) -> "ExportQuerySet":
        return self.filter(expires_at__lte=now)


class Export(Attributed, TenantRow):
    """One file with rows of a tenant: asked for at `created_at`, built in parts by workers, and fetched until `expires_at`.

    - `kind` is a name in `export_kinds`, `filters` are JSON as they were sent and found valid.
    - `build` grows when the file must be built again, because a participant was erased. A worker writes a part only if `build` and
      `parts` are still as it read them. So two workers never mix, and a part that was read before an erasure is never added after it.
    - `cursor` is the key of the last row in the parts, `rows` and `size` (bytes, not compressed) are sums of the parts.
    - `leased_until`: until then, one worker builds it. `attempts` counts failures since the newest part.
    - `sha256` is of the whole file; null until it is complete. `expires_at` is set when the file is first complete, and then stays.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=40)
    filters = models.JSONField(default=dict, db_default={})
    format = models.CharField(max_length=10, choices=ExportFormat.choices)
    has_bom = models.BooleanField(default=False, db_default=False)
    status = models.CharField(
        max_length=10, choices=ExportStatus.choices, default=ExportStatus.QUEUED, db_default=ExportStatus.QUEUED
    )
    build = models.PositiveIntegerField(default=1, db_default=1)
    parts = models.PositiveIntegerField(default=0, db_default=0)
    cursor = models.JSONField(null=True)
    rows = models.PositiveBigIntegerField(default=0, db_default=0)
    size = models.PositiveBigIntegerField(default=0, db_default=0)
    sha256 = models.CharField(max_length=64, null=True)
    error = models.CharField(max_length=255, null=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    leased_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status=ExportStatus.DONE) | Q(sha256__isnull=False), name="export_done_has_digest"
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "id"], name="export_newest"),
            models.Index(fields=["status", "id"], name="export_unfinished", condition=Q(status__in=UNFINISHED)),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}.{self.format}"

    def is_available_at(self, now: datetime) -> bool:
        """Whether the file can be fetched at `now`."""
        return self.status == ExportStatus.DONE and self.expires_at is not None and now < self.expires_at


class ExportPart(TenantRow):
    """The part number `number` (0, 1, 2 …) of the file of one export, compressed with zlib.

    The parts of an export, in order, are the file. Rows are only inserted and deleted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "export", "number"], name="export_part_number_unique"),
        ]
