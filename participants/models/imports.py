from copy import copy
from datetime import datetime

from django.db import models

from participants.ids import new_id
from participants.models.tenants import Tenant


class FileImport(models.Model):
    """How far a command has come in a file, which it knows by the SHA-256 of what is in it, whatever it is called.

    All up to and with `line`, which ends at byte `offset`, is done: the row changes in the transaction that does it, so that
    an import killed at any moment goes on without a gap and without a repetition. `bad` of those lines were refused.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+", db_index=False)
    command = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    line = models.PositiveBigIntegerField(default=0)
    offset = models.PositiveBigIntegerField(default=0)
    bad = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "command", "digest"], name="file_import_unique"),
        ]

    def with_progress(self, *, line: int, offset: int, bad: int, now: datetime) -> "FileImport":
        """This row as it will be, to be written with a batch; this object stays what it is until that is committed."""
        moved = copy(self)
        moved.line, moved.offset, moved.bad, moved.updated_at = line, offset, self.bad + bad, now
        return moved
