from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from gamify_project.programme.management.reports import report_of
from gamify_project.programme.services import apply_plan, plan_rollback
from participants.management.base import ReportingCommand, add_tenant, existing_tenant


class Command(ReportingCommand):
    help = (
        "Restore the programme that a tenant had before its newest import. Definitions that were added since are archived. A second "
        "rollback undoes the first."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument("--dry-run", action="store_true", help="Show what would change, and change nothing.")

    def report(self, *, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        plan = plan_rollback(existing_tenant(tenant, sandbox=sandbox)).counted()
        if not options["dry_run"]:
            apply_plan(plan, by="the command rollback_programme", now=timezone.now())
        return report_of(plan, is_json=options["json"], is_dry_run=options["dry_run"])
