from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gamify_project.backups import restore
from gamify_project.postgres.separation import as_owner
from participants.management.base import ReportingCommand

NEXT = [
    "Run `manage.py migrate`, also on the same release: it sets up roles and rights.",
    "Run `manage.py verify_ledger`.",
    "Use the SECRET_KEY and ENCRYPTION_KEYS of the time of the backup.",
]


class Command(ReportingCommand):
    help = (
        "Restore a backup into the database of the settings, which must be empty, and compare the number of rows of each table "
        "with the manifest."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="The directory that `backup` wrote.")

    def report(self, *, directory: Path, **options: Any) -> Mapping[str, Any]:
        with as_owner():
            manifest = restore(directory)
        return {
            "created_at": manifest.created_at,
            "tables": len(manifest.rows),
            "rows": sum(manifest.rows.values()),
            "next": NEXT,
        }
