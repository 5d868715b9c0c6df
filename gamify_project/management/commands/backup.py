from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone

from gamify_project.backups import back_up
from gamify_project.postgres.separation import as_owner
from participants.management.base import ReportingCommand


class Command(ReportingCommand):
    help = (
        "Write the whole database to a directory, while others write: one file, and manifest.json with its SHA-256 and the number "
        "of rows of each table. Settings and secrets are not in it. `restore` restores it."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="A directory that is new or empty.")

    def report(self, *, directory: Path, **options: Any) -> Mapping[str, Any]:
        with as_owner():
            manifest = back_up(directory, now=timezone.now())
        return {
            "directory": str(directory),
            "tables": len(manifest.rows),
            "rows": sum(manifest.rows.values()),
            "sha256": manifest.sha256,
        }
