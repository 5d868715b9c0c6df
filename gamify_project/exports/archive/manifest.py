"""The manifest of an archive: what each file contains, with counts, sums and SHA-256."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast, get_origin, get_type_hints

from gamify_project.exports.archive.tables import Table
from participants.errors import DomainError

Row = TypeVar("Row")

VERSION = 1
MANIFEST = "manifest.json"
PROGRAMME = "programme.yaml"
SETTINGS = (
    "name", "timezone", "is_active", "participant_writes_per_minute", "key_requests_per_minute", "requires_second_factor",
    "point_value", "point_currency",
)  # fmt: skip


NO_MANIFEST = "is not a manifest of an archive. Name the directory that export_tenant wrote"


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
        text = json.dumps(asdict(self), default=str, ensure_ascii=False, indent=2, sort_keys=True)
        with create_file(folder / MANIFEST) as file:
            file.write(f"{text}\n".encode())


def read_manifest(folder: Path) -> Manifest:
    """Raises: ArchiveRefused if the file is missing, or is not a manifest of this version."""
    values = _read_object(folder / MANIFEST)
    if values["version"] != VERSION:  # first, because another version has other fields
        raise ArchiveRefused(MANIFEST, f"has version {values['version']}; this release reads version {VERSION}")
    try:
        contents = {name: _checked(Content(**content)) for name, content in values.pop("tables").items()}
        manifest = _checked(Manifest(tables=contents, **values))
    except (TypeError, KeyError, AttributeError) as error:
        raise ArchiveRefused(MANIFEST, NO_MANIFEST) from error
    if sorted(manifest.settings) != sorted(SETTINGS):
        raise ArchiveRefused(MANIFEST, "is of another release: the settings of the tenant differ")
    return manifest


def _read_object(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArchiveRefused(path.name, "cannot be read. Name the directory that export_tenant wrote") from error
    except (ValueError, RecursionError) as error:
        raise ArchiveRefused(path.name, NO_MANIFEST) from error
    if not isinstance(values, dict) or "version" not in values:
        raise ArchiveRefused(path.name, NO_MANIFEST)
    return values


def _checked(row: Row) -> Row:
    """Return `row`, whose fields come from JSON. Raises: TypeError if one has another type than it declares."""
    for name, hint in get_type_hints(type(row)).items():
        if not isinstance(getattr(row, name), get_origin(hint) or hint):
            raise TypeError(name)
    return row


def create_folder(folder: Path) -> None:
    """Create the directory, which only its owner may open. One that exists keeps its permissions. Raises: ArchiveRefused, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ArchiveRefused(folder, "is not empty. Name a new directory")


def create_file(path: Path) -> BinaryIO:
    """Create a file that only its owner may read, because it contains data of participants. Raises: OSError."""
    return cast("BinaryIO", open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)))


def sha256_of(path: Path) -> str:
    """Raises: ArchiveRefused if the file cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArchiveRefused(path.name, "is missing or cannot be read") from error
