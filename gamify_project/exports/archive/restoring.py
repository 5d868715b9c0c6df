"""Restores a tenant from an archive, and proves that it is the same."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, transaction
from django.db.models import Model

from gamify_project.exports.archive.manifest import (
    MANIFEST,
    PROGRAMME,
    ArchiveRefused,
    Content,
    Manifest,
    read_manifest,
    sha256_of,
)
from gamify_project.exports.archive.rows import lines_of, row_from
from gamify_project.exports.archive.tables import Table, archived_tables
from gamify_project.programme.items import programme_text
from participants.auditing import Drift
from participants.catalog import bump_catalog_version, forget_catalog
from participants.models import ConfigurationChange, Tenant
from participants.models.tenants import Environment
from participants.selectors import tenant_by_slug
from participants.services.auditing import audit
from participants.services.tenants import create_tenant
from participants.work import reading

CHUNK = 1_000
Progress = Callable[[int], object]


def restore_archive(
    folder: Path, *, slug: str | None, now: datetime, report_progress: Progress = lambda number: None
) -> tuple[Tenant, Manifest]:
    """Restore the archive in `folder` into the tenant `slug` (default: the archive's own), which must be new or empty.

    All is one transaction: either the whole tenant is restored and proved, or nothing has changed. The rows keep their ids.

    Raises: ArchiveRefused if a file was changed or is of another release, if the tenant is not empty, or if what was restored is not
    what the manifest says.
    """
    manifest = read_manifest(folder)
    tables = archived_tables()
    _check_files(folder, manifest, tables)
    with ExitStack() as stack:
        stack.enter_context(transaction.atomic())
        tenant = _empty_tenant(slug or manifest.slug, manifest, tables, now=now)
        stack.callback(forget_catalog, tenant)
        stack.enter_context(reading(tenant))
        own = frozenset(ConfigurationChange.objects.filter(tenant_id=tenant.pk).values_list("pk", flat=True))
        for table in tables:
            _restore_table(table, folder, tenant, report_progress)
        _restore_settings(tenant, manifest, now=now)
        with _refusals_of_the_database(str(folder), "has rows that refer to rows which are not in the archive"):
            transaction.get_connection().check_constraints()  # otherwise they are only checked at the end of the transaction
        _prove(tenant, manifest, tables, own=own, now=now)
    return tenant, manifest


def _check_files(folder: Path, manifest: Manifest, tables: Sequence[Table]) -> None:
    """Check everything that can be checked before the first write."""
    known = {table.file_name: table for table in tables}
    if differing := sorted(set(known) ^ set(manifest.tables)):
        raise ArchiveRefused(MANIFEST, f"is of another release: the tables differ in {', '.join(differing)}")
    for name, content in manifest.tables.items():
        if list(content.columns) != list(known[name].columns):
            raise ArchiveRefused(name, "is of another release: the columns differ from those of the table")
        _check_digest(folder / name, content.sha256)
    _check_digest(folder / PROGRAMME, manifest.programme_sha256)


def _check_digest(path: Path, expected: str) -> None:
    if sha256_of(path) != expected:
        raise ArchiveRefused(path.name, "was changed: its SHA-256 is not the one in the manifest")


# --- the tenant -------------------------------------------------------------------------------------------------------


def _empty_tenant(slug: str, manifest: Manifest, tables: Sequence[Table], *, now: datetime) -> Tenant:
    """Return the tenant to restore into, live or sandbox like that of the archive. It is created if it does not exist."""
    is_sandbox = manifest.environment == Environment.SANDBOX
    tenant = tenant_by_slug(slug, sandbox=is_sandbox)
    if tenant is None:
        with _refusals_of_the_database(MANIFEST, "has settings that the database does not accept"):
            live = create_tenant(slug=slug, name=str(manifest.settings["name"]), now=now)
        return live.sandbox if is_sandbox else live
    for table in tables:
        if table.model is not ConfigurationChange and not table.has_one_row and table.rows(tenant.pk).exists():
            raise ArchiveRefused(slug, f"is not empty: it has rows in {table.label}. Choose another tenant with --as")
    for table in tables:
        if table.has_one_row:
            table.rows(tenant.pk).delete()
    return tenant


def _restore_settings(tenant: Tenant, manifest: Manifest, *, now: datetime) -> None:
    with _refusals_of_the_database(MANIFEST, "has settings that the database does not accept"), transaction.atomic():
        Tenant.objects.filter(pk=tenant.pk).update(**manifest.settings, updated_at=now)
    bump_catalog_version(tenant)
    tenant.refresh_from_db()


# --- rows -------------------------------------------------------------------------------------------------------------


def _restore_table(table: Table, folder: Path, tenant: Tenant, report_progress: Progress) -> None:
    with (folder / table.file_name).open(encoding="utf-8", newline="\n") as lines:
        rows = _rows(table, lines, tenant)
        while chunk := list(islice(rows, CHUNK)):
            _insert(table, chunk)
            report_progress(len(chunk))


def _rows(table: Table, lines: Iterator[str], tenant: Tenant) -> Iterator[Model]:
    for number in count(1):
        try:
            line = next(lines, None)
            row = None if line is None else row_from(table, line, tenant.pk)
        except (ValidationError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            problem = " ".join(getattr(error, "messages", [str(error)]))
            raise ArchiveRefused(table.file_name, f"line {number} cannot be read: {problem}") from error
        if row is None:
            return
        yield row


def _insert(table: Table, chunk: Sequence[Model]) -> None:
    exist = "has rows that exist in this installation. Restore it into another installation"
    with _refusals_of_the_database(table.file_name, exist), transaction.atomic():
        table.model._base_manager.bulk_create(chunk)


@contextmanager
def _refusals_of_the_database(file_name: str, broken_rule: str) -> Iterator[None]:
    """Raises: ArchiveRefused if the database does not accept what the block writes. `broken_rule` says what a broken constraint means."""
    try:
        yield
    except IntegrityError as error:
        raise ArchiveRefused(file_name, broken_rule) from error
    except (DataError, ValidationError) as error:
        raise ArchiveRefused(file_name, "has a value that the database does not accept") from error


# --- proof ------------------------------------------------------------------------------------------------------------


def _prove(tenant: Tenant, manifest: Manifest, tables: Sequence[Table], *, own: frozenset[Any], now: datetime) -> None:
    """Read everything back and compare it with the manifest, then run all audits."""
    for table in tables:
        _compare(table.file_name, manifest.tables[table.file_name], _content_now(table, tenant, own))
    if hashlib.sha256(programme_text(tenant).encode()).hexdigest() != manifest.programme_sha256:
        raise ArchiveRefused(PROGRAMME, "differs from the programme of the restored tenant")
    drifts: list[Drift] = []
    audit(tenant=tenant, now=now, report=drifts.append)
    if drifts:
        first = drifts[0]
        raise ArchiveRefused(
            f"{len(drifts)} rows do not agree", f"{first.about}: {first.what} is {first.found}, not {first.expected}"
        )


def _content_now(table: Table, tenant: Tenant, own: frozenset[Any]) -> Content:
    content, digest = Content.of(table), hashlib.sha256()
    for line, row in lines_of(table, tenant.pk, without=own):
        digest.update(line.encode())
        content.add(row)
    content.sha256 = digest.hexdigest()
    return content


def _compare(name: str, expected: Content, found: Content) -> None:
    pairs: Mapping[str, tuple[Any, Any]] = {
        "number of rows": (expected.rows, found.rows),
        "sums": (expected.sums, found.sums),
        "SHA-256": (expected.sha256, found.sha256),
    }
    for what, (wanted, value) in pairs.items():
        if wanted != value:
            raise ArchiveRefused(name, f"the {what} of the restored rows is {value}, and {wanted} in the manifest")
