from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone

from gamify_project.exports.archive.manifest import MANIFEST
from gamify_project.exports.archive.tables import archived_tables
from gamify_project.exports.archive.writing import write_archive
from participants.management.base import ReportingCommand, existing_tenant
from participants.management.progress import progress_bar


class Command(ReportingCommand):
    help = (
        "Write all of a tenant to a directory: the programme, every table, and manifest.json with counts, sums and SHA-256. "
        "Secrets are not in it. `import_tenant` restores it."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", metavar="SLUG", help="The tenant to write.")
        parser.add_argument("directory", type=Path, metavar="DIR", help="A directory that is new or empty.")
        parser.add_argument(
            "--sandbox", action="store_true", help="Write the sandbox of the tenant instead of the live tenant."
        )

    def report(self, *, tenant: str, directory: Path, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        row = existing_tenant(tenant, sandbox=sandbox)
        total = sum(table.rows(row.pk).count() for table in archived_tables())
        with progress_bar(options, total=total) as report_progress:
            manifest = write_archive(row, directory, now=timezone.now(), report_progress=report_progress)
        rows = sum(content.rows for content in manifest.tables.values())
        return {"tenant": row.slug, "tables": len(manifest.tables), "rows": rows, "manifest": str(directory / MANIFEST)}
