"""The manifest of an archive: what each file contains, with counts, sums and SHA-256."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gamify_project.exports.archive.tables import Table
from participants.errors import DomainError

VERSION = 1
MANIFEST = "manifest.json"
PROGRAMME = "programme.yaml"
SETTINGS = (
    "name", "timezone", "is_active", "participant_writes_per_minute", "key_requests_per_minute", "requires_second_factor",
)  # fmt: skip


class ArchiveRefused(DomainError):
    code = "archive_refused"
    text = "{}: {}"


@dataclass
class Content:
    """What one file contains, summed up row by row."""

    columns: Sequence[str] = ()
    rows: int = 0
    sums: dict[str, int] = field(default_factory=dict)
    sha256: str = ""

    @classmethod
    def of(cls, table: Table) -> "Content":
        return cls(list(table.columns), 0, dict.fromkeys(table.numbers, 0))

    def add(self, row: Mapping[str, Any]) -> None:
        self.rows += 1
        for name in self.sums:
            self.sums[name] += row[name] or 0


@dataclass
class Manifest:
    """`tables` are by file name. `left_out` says why other tables are not in the archive, and `to_do` what to do after a restore."""

    slug: str
    environment: str
    settings: Mapping[str, Any]
    created_at: str
    tables: dict[str, Content]
    programme_sha256: str
    left_out: Mapping[str, str]
    to_do: Sequence[str]
    version: int = VERSION

    def write(self, folder: Path) -> None:
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2, sort_keys=True)
        (folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Raises: ArchiveRefused if the file is missing, or is not a manifest of this version."""
    try:
        values = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        tables = {name: Content(**content) for name, content in values.pop("tables").items()}
        manifest = Manifest(tables=tables, **values)
    except OSError as error:
        raise ArchiveRefused(MANIFEST, "cannot be read. Name the directory that export_tenant wrote") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArchiveRefused(MANIFEST, "is not a manifest of an archive") from error
    if manifest.version != VERSION:
        raise ArchiveRefused(MANIFEST, f"has version {manifest.version}; this release reads version {VERSION}")
    return manifest


def sha256_of(path: Path) -> str:
    """Raises: ArchiveRefused if the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveRefused(path.name, "is missing or cannot be read") from error
