"""Writes the archive of a tenant."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from gamify_project.exports.archive.manifest import (
    PROGRAMME,
    SETTINGS,
    ArchiveRefused,
    Content,
    Manifest,
    create_file,
    create_folder,
    sha256_of,
)
from gamify_project.exports.archive.rows import lines_of
from gamify_project.exports.archive.tables import Table, all_tables, archived_tables
from gamify_project.programme.items import programme_text
from participants.models import Tenant
from participants.work.snapshots import snapshot


def write_archive(
    tenant: Tenant, folder: Path, *, now: datetime, report_progress: Callable[[int], object] = lambda number: None
) -> Manifest:
    """Write all of `tenant` to `folder`, as it is at one moment, and the manifest last. So a directory without a manifest is incomplete.

    `report_progress` is called with the number of rows written since the last call.

    Raises: ArchiveRefused if the directory exists and is not empty, or cannot be written.
    """
    try:
        create_folder(folder)
        with snapshot(tenant):
            manifest = _write_files(tenant, folder, now, report_progress)
        manifest.write(folder)
    except OSError as error:
        raise ArchiveRefused(folder, f"cannot be written: {error.strerror}") from error
    return manifest


def _write_files(tenant: Tenant, folder: Path, now: datetime, report_progress: Callable[[int], object]) -> Manifest:
    tables = archived_tables()
    with create_file(folder / PROGRAMME) as file:
        file.write(programme_text(tenant).encode())
    contents = {table.file_name: _write_table(table, tenant, folder, report_progress) for table in tables}
    return Manifest(
        slug=tenant.slug,
        environment=tenant.environment,
        settings={name: getattr(tenant, name) for name in SETTINGS},
        created_at=now.isoformat(),
        tables=contents,
        programme_sha256=sha256_of(folder / PROGRAMME),
        left_out={table.label: table.left_out for table in all_tables() if table.left_out},
        to_do=[table.rule.advice for table in all_tables() if table.rule.advice],
    )


def _write_table(table: Table, tenant: Tenant, folder: Path, report_progress: Callable[[int], object]) -> Content:
    content, digest = Content.of(table), hashlib.sha256()
    with create_file(folder / table.file_name) as file:
        for line, row in lines_of(table, tenant.pk):
            data = line.encode()
            file.write(data)
            digest.update(data)
            content.add(row)
            report_progress(1)
    content.sha256 = digest.hexdigest()
    return content
