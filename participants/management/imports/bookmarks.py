"""How far an earlier run of the same command has come in the same file."""

from datetime import datetime

from participants.management.imports.reading import START, Place, Source
from participants.models import FileImport, Tenant


def bookmark(
    tenant: Tenant, command: str, source: Source, *, restarts: bool, is_dry_run: bool, now: datetime
) -> FileImport | None:
    """The row of this file, made where there is none; None for a stream. A dry run makes and changes no row."""
    if source.digest is None:
        return None
    begin = {"created_at": now, "updated_at": now}
    known = {"tenant": tenant, "command": command, "digest": source.digest}
    if is_dry_run:
        found = FileImport.objects.filter(**known).first() or FileImport(**known, **begin)
    else:
        found, _ = FileImport.objects.get_or_create(**known, defaults=begin)
    if restarts:
        found = found.with_progress(line=0, offset=0, bad=-found.bad, now=now)
    if restarts and not is_dry_run:
        found.save()
    return found


def place_of(row: FileImport | None) -> Place:
    """Where a run goes on."""
    return START if row is None else Place(row.line, row.offset)
