from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.utils import timezone

from gamify_project.exports.archive.manifest import read_manifest
from gamify_project.exports.archive.restoring import restore_archive
from participants.management.base import ReportingCommand
from participants.management.progress import progress_bar


class Command(ReportingCommand):
    help = (
        "Restore a tenant from a directory of `export_tenant` into a tenant that is new or empty, in one transaction. Afterwards all rows "
        "are read back and compared with the manifest, and all audits run."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="The directory that `export_tenant` wrote.")
        parser.add_argument(
            "--as",
            dest="slug",
            metavar="SLUG",
            help="Restore the tenant under this slug. Default: the slug in the archive.",
        )

    def report(self, *, directory: Path, slug: str | None, **options: Any) -> Mapping[str, Any]:
        total = sum(content.rows for content in read_manifest(directory).tables.values())
        with progress_bar(options, total=total) as report_progress:
            tenant, manifest = restore_archive(
                directory, slug=slug, now=timezone.now(), report_progress=report_progress
            )
        return {"tenant": tenant.slug, "rows": total, "to_do": list(manifest.to_do)}
