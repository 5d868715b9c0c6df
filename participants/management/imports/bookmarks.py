"""Bookmarks: how far an earlier run of the same command came in the same file."""

from datetime import datetime

from participants.management.imports.reading import Source
from participants.models import FileImport, Tenant


def bookmark(
    tenant: Tenant, command: str, source: Source, *, restarts: bool, is_dry_run: bool, now: datetime
) -> FileImport | None:
    """Return the bookmark of this file, created if missing; None for a stream.

    `restarts` moves the bookmark to the beginning. A dry run writes nothing.
    """
    if source.digest is None:
        return None
    times = {"created_at": now, "updated_at": now}
    identity = {"tenant": tenant, "command": command, "digest": source.digest}
    if is_dry_run:
        row = FileImport.objects.filter(**identity).first() or FileImport(**identity, **times)
    else:
        row, _ = FileImport.objects.get_or_create(**identity, defaults=times)
    if restarts:
        row = row.with_progress(line=0, offset=0, bad=-row.bad, now=now)
    if restarts and not is_dry_run:
        row.save()
    return row
