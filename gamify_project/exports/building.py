"""Builds the file of an export, part by part. A build that is killed goes on after the last part that it wrote."""

import hashlib
import zlib
from collections.abc import Generator, Iterator, Mapping, Sequence
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
from gamify_project.exports.models import UNFINISHED, Export, ExportPart, ExportStatus
from participants.api.exporting import ExportKind, Key, Scope, export_kinds
from participants.models import Tenant
from participants.work import reading, wait_for_open_units

PAGE_ROWS = 1_000
PART_ROWS = 20_000
PART_BYTES = 8 * 1024 * 1024
"""A part ends after the page with which it reaches one of these. So memory is bounded, however large a row is."""

LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3

logger = structlog.get_logger(__name__)


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
            written = _next_step(export)
        if written is None:
            return
        export, rows = written
        try:
            yield rows
        except GeneratorExit:
            with reading(tenant):
                _release(export)
            raise


def _next_step(export: Export) -> tuple[Export | None, int] | None:
    """Write the next part, and count the attempt if that fails. Returns what `_write_next_part` returns."""
    try:
        return _write_next_part(export)
    except ExportChanged:
        return None
    except Exception:
        _note_failure(export)
        raise


def _take(tenant: Tenant, export_id: UUID) -> Export | None:
    """Lease the export to this worker. Return None if another worker has it, or if nothing is left to build."""
    now = timezone.now()
    taken = Export.objects.of(tenant).free(now).filter(pk=export_id)
    if not taken.update(status=ExportStatus.RUNNING, leased_until=now + LEASE):
        return None
    return Export.objects.of(tenant).filter(pk=export_id).first()


def _write_next_part(export: Export) -> tuple[Export | None, int] | None:
    """Write the next part, or complete the file after the last one.

    Returns the export with what remains to be built (None: nothing), and the number of rows; None if the build was overtaken.
    """
    kind, scope = export_kinds[export.kind], scope_of(export)
    if export.parts == 0:
        kind.prepare(scope)
    part = _next_part(export, kind, scope)
    stored = _store(export, part)
    if stored is None:
        return None
    if not part.is_last:
        return stored, part.rows
    _complete(stored)
    return None, part.rows


def scope_of(export: Export) -> Scope:
    """Return which rows the file contains."""
    filters = export_kinds[export.kind].filters().run_validation(export.filters)
    return Scope(export.tenant, filters, export.created_at)


def _next_part(export: Export, kind: ExportKind, scope: Scope) -> _Part:
    columns, format_ = list(kind.columns), FORMATS[export.format]
    compressor = zlib.compressobj()
    data, rows, size, key, page = [], 0, 0, _read_key(export, kind), None

    def add(text: str) -> int:
        encoded = text.encode()
        data.append(compressor.compress(encoded))
        return len(encoded)

    if export.parts == 0:
        size += add((BOM if export.has_bom else "") + format_.head(columns))
    while page is None or (len(page) == PAGE_ROWS and rows < PART_ROWS and size < PART_BYTES):
        page = kind.page(scope, after=key, limit=PAGE_ROWS)
        values = list(kind.values(scope, page, export.rows + rows))
        size += add(format_.lines(columns, values))
        rows += len(values)
        key = kind.key_of(page[-1]) if page else key
    data.append(compressor.flush())
    return _Part(b"".join(data), rows, size, key, is_last=len(page) < PAGE_ROWS)


def _store(export: Export, part: _Part) -> Export | None:
    """Add the part, if nothing has happened to the export since it was read. Returns the export with the part, None if it was not added.

    The row is not read again: then an erasure in between would go unnoticed. `export` does not change, because writing may fail.
    """
    stored = copy(export)
    stored.parts, stored.rows, stored.size = export.parts + 1, export.rows + part.rows, export.size + part.size
    stored.cursor, stored.attempts, stored.leased_until = _write_key(part.key), 0, timezone.now() + LEASE
    changed = ("parts", "rows", "size", "cursor", "attempts", "leased_until")
    with transaction.atomic():
        if not _as_read(export).update(**{name: getattr(stored, name) for name in changed}):
            return None
        ExportPart.objects.create(tenant_id=export.tenant_id, export=export, number=export.parts, data=part.data)
    return stored


def _as_read(export: Export) -> Any:
    """Return the row of the export, if it is still as `export` was read."""
    return Export.objects.filter(
        tenant_id=export.tenant_id, pk=export.pk, build=export.build, parts=export.parts, status__in=UNFINISHED
    )


def _complete(export: Export) -> None:
    now = timezone.now()
    digest = hashlib.sha256()
    for chunk in chunks_of(export):
        digest.update(chunk)
    first_expiry = export.expires_at or now + timedelta(hours=settings.EXPORT_HOURS)
    done = {
        "status": ExportStatus.DONE,
        "sha256": digest.hexdigest(),
        "finished_at": now,
        "expires_at": first_expiry,
        "leased_until": None,
    }
    _as_read(export).update(**done)
    logger.info("exported", kind=export.kind, rows=export.rows, size=export.size)


class ExportChanged(Exception):
    """A file was deleted or built again while it was read. What was read must not be used."""


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


def _release(export: Export | None) -> None:
    """End the lease, so that the next worker need not wait for it."""
    if export is not None:
        _as_read(export).update(leased_until=None)


def _note_failure(export: Export) -> None:
    attempts = export.attempts + 1
    noted: dict[str, Any] = {"attempts": attempts, "leased_until": None}
    if attempts >= MAX_ATTEMPTS:
        noted |= {
            "status": ExportStatus.FAILED,
            "error": f"The export failed {MAX_ATTEMPTS} times. The log of the worker says why.",
            "finished_at": timezone.now(),
        }
    _as_read(export).update(**noted)


# --- the cursor as JSON -----------------------------------------------------------------------------------------------


def _write_key(key: Key | None) -> Sequence[Any] | None:
    return None if key is None else [_json_value(value) for value in key]


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _read_key(export: Export, kind: ExportKind) -> Key | None:
    if export.cursor is None:
        return None
    fields: Mapping[str, Any] = {}
    meta = kind.rows(scope_of(export)).model._meta
    fields = {field.attname: getattr(field, "target_field", field) for field in meta.concrete_fields}
    return tuple(fields[name].to_python(value) for name, value in zip(kind.order, export.cursor, strict=True))
