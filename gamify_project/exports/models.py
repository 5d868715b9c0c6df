from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import F, Q

from participants.ids import new_id
from participants.models import Attributed, Leased, LeasedQuerySet, Tenant, TenantRow


class ExportStatus(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ExportFormat(models.TextChoices):
    CSV = "csv", "CSV"
    NDJSON = "ndjson", "NDJSON"


UNFINISHED = (ExportStatus.QUEUED, ExportStatus.RUNNING)


class ExportQuerySet(LeasedQuerySet["Export"]):
    def of(self, tenant: Tenant) -> "ExportQuerySet":
        return self.filter(tenant_id=tenant.pk)

    def unfinished(self) -> "ExportQuerySet":
        return self.filter(status__in=UNFINISHED)

    def waiting(self, now: datetime) -> "ExportQuerySet":
        """Unfinished exports that no worker builds."""
        return self.unfinished().free(now)

    def expired(self, now: datetime) -> "ExportQuerySet":
        return self.filter(expires_at__lte=now)

    def start_again(self) -> None:
        """Queue these exports as if they had just been created, and delete their parts. `expires_at` stays.

        The update comes first: it locks the rows, so that no worker adds a part of the old build after the others were deleted.
        """
        chosen = Export.objects.filter(pk__in=list(self.values_list("pk", flat=True)))
        with transaction.atomic():
            chosen.update(build=F("build") + 1, **START)
            chosen.delete_parts()

    def delete_parts(self) -> None:
        rows = list(self.values_list("tenant_id", "pk"))
        tenants, exports = {tenant for tenant, _ in rows}, [export for _, export in rows]
        ExportPart.objects.filter(tenant_id__in=tenants, export_id__in=exports).delete()


START: Mapping[str, Any] = {
    "status": ExportStatus.QUEUED,
    "columns": None,
    "parts": 0,
    "cursor": None,
    "rows": 0,
    "size": 0,
    "sha256": None,
    "attempts": 0,
    "leased_until": None,
    "finished_at": None,
}
"""What `start_again` sets."""


class Export(Attributed, Leased, TenantRow):
    """One file with rows of a tenant: requested at `created_at`, built in parts by workers, and fetched until `expires_at`.

    - `kind` is a name in `export_kinds`, `filters` are JSON as they were sent and found valid.
    - `build` grows when the file must be built again, because a participant was erased. A worker writes a part only if `build` and
      `parts` are still as it read them. So two workers never mix, and a part that was read before an erasure is never added after it.
    - `cursor` is the key of the last row in the parts, `rows` and `size` (bytes, not compressed) are sums of the parts.
    - `columns` are those of the first part; null before. The parts of one file have the same columns.
    - `sha256` is of the whole file; null until it is complete.
    - `expires_at` is set when the file is first complete, and then stays; or when the export has failed. Then the row is deleted.
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
    columns = models.JSONField(null=True)
    cursor = models.JSONField(null=True)
    rows = models.PositiveBigIntegerField(default=0, db_default=0)
    size = models.PositiveBigIntegerField(default=0, db_default=0)
    sha256 = models.CharField(max_length=64, null=True)
    error = models.CharField(max_length=255, null=True)
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
