"""Builds the file of an export, part by part. A build that is killed goes on after the last part that it wrote."""

import hashlib
import zlib
from collections.abc import Generator, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gamify_project.exports.formats import BOM, FORMATS
from gamify_project.exports.models import Export, ExportPart, ExportQuerySet, ExportStatus
from participants.api.exporting import Key, OpenExport, Scope, export_kinds
from participants.errors import InvalidFields
from participants.models import LEASE, MAX_ATTEMPTS, Tenant
from participants.work import reading, wait_for_open_units

PAGE_ROWS = 1_000
PART_ROWS = 20_000
PART_BYTES = 8 * 1024 * 1024
"""A part ends after the page with which it reaches one of these. So memory is bounded, however large a row is."""

GIVEN_UP = (
    f"Writing the file failed {MAX_ATTEMPTS} times. The log of the worker says why, unless the worker was killed."
)

logger = structlog.get_logger(__name__)


class ExportChanged(Exception):
    """A file was deleted or built again while it was written or read. What was read must not be used."""


@dataclass(frozen=True)
class _Part:
    """The next part of a file. `size` is its size before compression, `key` the key of its last row."""

    data: bytes
    rows: int
    size: int
    key: Key | None
    is_last: bool


def build_in_parts(*, tenant: Tenant, export_id: UUID) -> Generator[int, None, None]:
    """Build the file of one export. Generator: each step writes one part and yields its number of rows.

    The build ends early, without an error, if another worker has the export, or if an erasure has started it again. The clock is read
    for each part, because a build may take longer than a lease. Units of work that were open when the export was requested may still
    write rows of earlier instants, so the build first waits for them and yields 0 meanwhile.
    """
    yield from wait_for_open_units()
    with reading(tenant):
        export = _take(tenant, export_id)
    while export is not None:
        with reading(tenant):  # not around `yield`: builds of several tenants take turns
            written = _write_next_part(export)
        if written is None:
            return
        export, rows = written
        try:
            yield rows
        except GeneratorExit:
            with reading(tenant):
                _release(export)
            raise


# --- one worker at a time ---------------------------------------------------------------------------------------------


def _take(tenant: Tenant, export_id: UUID) -> Export | None:
    """Lease the export to this worker. Return None if another worker has it, or if nothing is left to build."""
    now = timezone.now()
    this = Export.objects.of(tenant).filter(pk=export_id)
    export = this.waiting(now).first()
    if export is None:
        return None
    if export.is_exhausted:  # the worker of the last attempt was killed
        _fail(_as_read(export).free(now), GIVEN_UP)
        return None
    if export.columns not in (None, list(export_kinds[export.kind].columns)):  # another release began it
        _as_read(export).free(now).start_again()
    if not this.unfinished().lease(now, status=ExportStatus.RUNNING):
        return None
    return this.select_related("tenant").first()


def _as_read(export: Export) -> ExportQuerySet:
    """Return the row of the export, if it is still as `export` was read."""
    rows = Export.objects.unfinished().filter(tenant_id=export.tenant_id, pk=export.pk)
    return rows.filter(build=export.build, parts=export.parts)


def _release(export: Export | None) -> None:
    """End the lease of a build whose time is up, so that the next worker need not wait. The next part was not attempted."""
    if export is not None:
        _as_read(export).update(leased_until=None, attempts=0)


def _note_failure(export: Export, error: Exception) -> None:
    """End the lease. Give up if the filters name nothing any more, or after MAX_ATTEMPTS."""
    if isinstance(error, InvalidFields):
        _fail(_as_read(export), error.message)
    elif export.is_exhausted:
        _fail(_as_read(export), GIVEN_UP)
    else:
        _as_read(export).update(leased_until=None)


def _fail(rows: ExportQuerySet, problem: str) -> None:
    """Give up the export. It is deleted when its file would have been, and its parts at once, because nobody can fetch them."""
    now = timezone.now()
    failed = {
        "status": ExportStatus.FAILED,
        "error": problem,
        "leased_until": None,
        "finished_at": now,
        "expires_at": now + timedelta(hours=settings.EXPORT_HOURS),
    }
    ids = list(rows.values_list("pk", flat=True))
    with transaction.atomic():
        if rows.update(**failed):
            Export.objects.filter(pk__in=ids).delete_parts()
            logger.error("export_failed", problem=problem)


# --- a part -----------------------------------------------------------------------------------------------------------


def _write_next_part(export: Export) -> tuple[Export | None, int] | None:
    """Write the next part, and complete the file after the last one.

    Returns the export with what remains to be built (None: nothing), and the number of rows; None if the build was overtaken.
    """
    try:
        part = _next_part(export)
        export = _store(export, part)
        if part.is_last:
            _complete(export)
    except ExportChanged:
        return None
    except Exception as error:
        _note_failure(export, error)
        raise
    return None if part.is_last else export, part.rows


def open_export(export: Export) -> OpenExport:
    """Return the rows of the file. Raises InvalidInput if a filter names what does not exist any more."""
    kind = export_kinds[export.kind]
    filters = kind.filters().run_validation(export.filters)
    return kind.open(Scope(export.tenant, filters, export.created_at))


def _next_part(export: Export) -> _Part:
    opened, format_ = open_export(export), FORMATS[export.format]
    columns = list(opened.kind.columns)
    compressor = zlib.compressobj()
    data, rows, size, key, page = [], 0, 0, _read_key(export, opened), None

    def add(text: str) -> int:
        encoded = text.encode()
        data.append(compressor.compress(encoded))
        return len(encoded)

    if export.parts == 0:
        opened.prepare()
        size += add((BOM if export.has_bom else "") + format_.head(columns))
    while page is None or (len(page) == PAGE_ROWS and rows < PART_ROWS and size < PART_BYTES):
        page = opened.page(after=key, limit=PAGE_ROWS)
        values = list(opened.values(page, export.rows + rows))
        size += add(format_.lines(columns, values))
        rows += len(values)
        key = opened.key_of(page[-1]) if page else key
    data.append(compressor.flush())
    return _Part(b"".join(data), rows, size, key, is_last=len(page) < PAGE_ROWS)


def _store(export: Export, part: _Part) -> Export:
    """Add the part, and return the export with it. `export` does not change, because writing may fail.

    An empty part is only stored if it is the first. So a file that is complete but for its SHA-256 does not get parts without end.
    The row is not read again: then an erasure in between would go unnoticed.

    Raises: ExportChanged if anything has happened to the export since it was read.
    """
    if export.parts and not part.rows:
        return export
    stored = copy(export)
    stored.parts, stored.rows, stored.size = export.parts + 1, export.rows + part.rows, export.size + part.size
    stored.columns, stored.cursor = list(export_kinds[export.kind].columns), _write_key(part.key)
    stored.attempts, stored.leased_until = 1, timezone.now() + LEASE
    changed = ("columns", "parts", "rows", "size", "cursor", "attempts", "leased_until")
    with transaction.atomic():
        _change(export, **{name: getattr(stored, name) for name in changed})
        ExportPart.objects.create(tenant_id=export.tenant_id, export=export, number=export.parts, data=part.data)
    return stored


def _complete(export: Export) -> None:
    """Compute the SHA-256, and finish the export. Each chunk takes a new lease, because a large file may take longer than one."""
    digest = hashlib.sha256()
    for chunk in chunks_of(export):
        digest.update(chunk)
        _change(export, leased_until=timezone.now() + LEASE)
    now = timezone.now()
    _change(
        export,
        status=ExportStatus.DONE,
        sha256=digest.hexdigest(),
        finished_at=now,
        expires_at=export.expires_at or now + timedelta(hours=settings.EXPORT_HOURS),
        leased_until=None,
    )
    logger.info("exported", kind=export.kind, rows=export.rows, size=export.size)


def _change(export: Export, **values: Any) -> None:
    """Raises: ExportChanged if anything has happened to the export since it was read."""
    if not _as_read(export).update(**values):
        raise ExportChanged(f"Export {export.pk} was deleted, or is built again or by another worker.")


def chunks_of(export: Export) -> Iterator[bytes]:
    """Yield the file of an export, one part after the other.

    Raises: ExportChanged if a part is missing.
    """
    tenant = export.tenant
    for number in range(export.parts):
        with reading(tenant):  # not around `yield`: a download goes on after its request has ended
            parts = ExportPart.objects.filter(tenant_id=tenant.pk, export_id=export.pk, number=number)
            data = parts.filter(export__build=export.build).values_list("data", flat=True).first()
        if data is None:
            raise ExportChanged(f"Export {export.pk} was deleted or built again.")
        yield zlib.decompress(bytes(data))


# --- the cursor as JSON -----------------------------------------------------------------------------------------------


def _write_key(key: Key | None) -> Sequence[Any] | None:
    return None if key is None else [_json_value(value) for value in key]


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read_key(export: Export, opened: OpenExport) -> Key | None:
    if export.cursor is None:
        return None
    fields = {field.attname: getattr(field, "target_field", field) for field in opened.rows.model._meta.concrete_fields}
    return tuple(fields[name].to_python(value) for name, value in zip(opened.kind.order, export.cursor, strict=True))
