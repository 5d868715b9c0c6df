import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from gamify_project.programme.management.files import plan_of_file
from gamify_project.programme.management.reports import report_of
from gamify_project.programme.services import apply_plan
from participants.management.base import ReportingCommand, add_tenant, existing_tenant

WOULD_CHANGE = 2  # exit code


class Command(ReportingCommand):
    help = (
        "Make the definitions of a tenant those of a programme file, in one transaction. A file with faults is refused with all of them, "
        "and changes nothing. `rollback_programme` restores the previous programme."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="YAML, as export_programme writes it. `-` for standard input.")
        add_tenant(parser)
        parser.add_argument(
            "--prune", action="store_true", help="Archive the definitions that the file does not contain."
        )
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, and change nothing.")
        parser.add_argument(
            "--check",
            action="store_true",
            help=f"Like --dry-run, with exit code {WOULD_CHANGE} if the import would change something.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        super().handle(*args, **options)
        if options["check"] and self._plan.changes:
            sys.exit(WOULD_CHANGE)

    def report(self, *, file: str, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        self._plan = plan_of_file(existing_tenant(tenant, sandbox=sandbox), file, prunes=options["prune"]).counted()
        is_dry_run = options["dry_run"] or options["check"]
        if not is_dry_run:
            apply_plan(self._plan, by="the command import_programme", now=timezone.now())
        return report_of(self._plan, is_json=options["json"], is_dry_run=is_dry_run)
