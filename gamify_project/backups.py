"""Backups of the whole database: a directory with one file and a manifest, and the way back into an empty database.

SQLite copies its file page by page while others write. PostgreSQL uses `pg_dump` and `pg_restore`, which must be installed. The number of
rows of each table is counted in the snapshot that is copied, and again after the restore. Settings and secrets are not in a backup.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from participants.errors import DomainError

MANIFEST = "manifest.json"
FILES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
VERSION = 1
SET_UP_BY_MIGRATE = (" POLICY ", " ROW SECURITY ", " ACL ", " DEFAULT ACL ")
"""Entries of a dump that name roles. A dump has no roles; `migrate` creates them and all of this."""


class BackupRefused(DomainError):
    code = "backup_refused"
    status = 409


@dataclass(frozen=True)
class Manifest:
    """What a backup contains. `rows` has the number of rows by table, `migrations` the newest migration by app."""

    version: int
    database: str
    created_at: str
    sha256: str
    rows: Mapping[str, int]
    migrations: Mapping[str, str]

    def write(self, folder: Path) -> None:
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=2, sort_keys=True) + "\n")


def back_up(folder: Path, *, now: datetime) -> Manifest:
    """Write a backup to a directory that is new or empty, which only this user can read. Raises BackupRefused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupRefused(f"{folder} is not empty: name a directory that is new or empty.")
    file = folder / FILES[connection.vendor]
    file.touch(mode=0o600)
    rows = _copy_sqlite(file) if connection.vendor == "sqlite" else _dump_postgresql(file)
    manifest = Manifest(VERSION, connection.vendor, now.isoformat(), _digest(file), rows, newest_migrations())
    manifest.write(folder)
    return manifest


def restore(folder: Path) -> Manifest:
    """Restore a backup into the database of the settings, which must be empty, and compare the rows. Raises BackupRefused."""
    manifest = read_manifest(folder)
    file = folder / FILES[manifest.database]
    _check(manifest, file)
    if connection.vendor == "sqlite":
        _fill_sqlite(file)
    else:
        _fill_postgresql(file)
    connection.close()
    found = count_rows(connection)
    if found != manifest.rows:
        different = sorted(name for name in {*found, *manifest.rows} if found.get(name) != manifest.rows.get(name))
        raise BackupRefused(
            f"The restored database differs from the manifest in {', '.join(different)}. Do not use it."
        )
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """Raises BackupRefused if there is no manifest that this version can read."""
    try:
        found = json.loads((folder / MANIFEST).read_text())
        manifest = Manifest(**found)
    except (OSError, ValueError, TypeError) as error:
        raise BackupRefused(f"{folder} has no {MANIFEST} that can be read: {error}") from error
    if manifest.version != VERSION:
        raise BackupRefused(f"The manifest has version {manifest.version}; this release reads version {VERSION}.")
    return manifest


def _check(manifest: Manifest, file: Path) -> None:
    if manifest.database != connection.vendor:
        raise BackupRefused(f"The backup is of {manifest.database}; DATABASE_URL names {connection.vendor}.")
    if not file.exists() or _digest(file) != manifest.sha256:
        raise BackupRefused(f"{file} is missing or was changed: its SHA-256 is not that of the manifest.")
    if tables(connection):
        raise BackupRefused("The database is not empty: create an empty one, and name it in DATABASE_URL.")


# --- what is in a database ------------------------------------------------------------------------------------------


def tables(database: BaseDatabaseWrapper) -> Sequence[str]:
    return sorted(database.introspection.table_names())


def count_rows(database: BaseDatabaseWrapper) -> Mapping[str, int]:
    """Return the number of rows of each table, as this transaction sees them."""
    with database.cursor() as cursor:
        return {name: _count(cursor, database.ops.quote_name(name)) for name in tables(database)}


def _count(cursor: Any, table: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - a quoted name from the catalog
    number: int = cursor.fetchone()[0]
    return number


def newest_migrations() -> Mapping[str, str]:
    applied = MigrationRecorder(connection).applied_migrations()
    return {app: max(name for each, name in applied if each == app) for app, _ in sorted(applied)}


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


# --- SQLite ---------------------------------------------------------------------------------------------------------


def _copy_sqlite(file: Path) -> Mapping[str, int]:
    connection.ensure_connection()
    with closing(sqlite3.connect(file)) as copy:
        connection.connection.backup(copy)
        return _checked_rows(copy)


def _fill_sqlite(file: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as copy:
        _checked_rows(copy)
        copy.backup(connection.connection)


def _checked_rows(copy: sqlite3.Connection) -> Mapping[str, int]:
    """Raises BackupRefused if SQLite finds a fault in the file."""
    [(verdict,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
    if verdict != "ok":
        raise BackupRefused(f"SQLite finds a fault in the copy: {verdict}")
    names = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1")
    cursor = copy.cursor()
    return {name: _count(cursor, connection.ops.quote_name(name)) for (name,) in names.fetchall()}


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def _dump_postgresql(file: Path) -> Mapping[str, int]:
    """Dump the snapshot in which the rows are counted."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            [snapshot] = cursor.fetchone()
        rows = count_rows(connection)
        _run("pg_dump", "--format=custom", "--no-owner", f"--snapshot={snapshot}", f"--file={file}")
    return rows


def _fill_postgresql(file: Path) -> None:
    """Restore in one transaction, without what names roles."""
    listed = _run("pg_restore", "--list", str(file), connects=False).splitlines()
    kept = [line for line in listed if not any(kind in line for kind in SET_UP_BY_MIGRATE)]
    with _temporary(file.with_suffix(".list"), "\n".join(kept)) as selection:
        name = connection.settings_dict["NAME"]
        options = (
            "--single-transaction",
            "--exit-on-error",
            "--no-owner",
            f"--use-list={selection}",
            f"--dbname={name}",
        )
        _run("pg_restore", *options, str(file))


@contextmanager
def _temporary(path: Path, text: str) -> Iterator[Path]:
    path.write_text(text)
    try:
        yield path
    finally:
        path.unlink()


def _run(program: str, *arguments: str, connects: bool = True) -> str:
    """Run a program of PostgreSQL; the password is in its environment. Raises BackupRefused with what it says."""
    found = shutil.which(program)
    if not found:
        raise BackupRefused(
            f"{program} is not installed: install the client programs of PostgreSQL, as new as the server."
        )
    environment = os.environ | (_connection_variables() if connects else {})
    ran = subprocess.run([found, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode:
        raise BackupRefused(f"{program} failed: {ran.stderr.strip()}")
    return ran.stdout


def _connection_variables() -> Mapping[str, str]:
    """The variables that libpq reads."""
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    found = {variable: str(connection.settings_dict[name] or "") for variable, name in names.items()}
    return {variable: value for variable, value in found.items() if value}
