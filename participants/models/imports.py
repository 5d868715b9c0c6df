from copy import copy
from datetime import datetime

from django.db import models

from participants.ids import new_id
from participants.models.tenants import Tenant


class FileImport(models.Model):
    """The progress of an import command in one file. `digest` is the SHA-256 of the file's content; its name does not matter.

    All lines up to and including number `line`, which ends at byte `offset`, are done; `bad` of them were refused. The row changes in
    the transaction that writes these lines. So an import that was killed continues without gaps and without repetitions.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    command = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    line = models.PositiveBigIntegerField(default=0, db_default=0)
    offset = models.PositiveBigIntegerField(default=0, db_default=0)
    bad = models.PositiveBigIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "command", "digest"], name="file_import_unique"),
        ]

    def with_progress(self, *, line: int, offset: int, bad: int, now: datetime) -> "FileImport":
        """Return an unsaved copy with this progress, to be written with a batch. `bad` is added to the lines refused so far.

        This object does not change, because the batch may still be rolled back.
        """
        row = copy(self)
        row.line, row.offset, row.bad, row.updated_at = line, offset, self.bad + bad, now
        return row
