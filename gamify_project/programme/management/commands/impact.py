from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from gamify_project.programme.impact import Impact, impact_of
from gamify_project.programme.management.files import plan_of_file
from gamify_project.programme.words import impact_in_words
from participants.management.base import ReportingCommand, add_tenant, existing_tenant, whole_number

DEFAULT_DAYS, MAX_DAYS = 30, 366


class Command(ReportingCommand):
    help = (
        "Report what the definitions of a programme file would have given in the last days, compared with the present ones: points, "
        "badges, rewards, challenges and tiers, and for whom most. Writes nothing."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="YAML, as export_programme writes it. `-` for standard input.")
        add_tenant(parser)
        parser.add_argument(
            "--prune", action="store_true", help="As if the definitions that the file lacks were archived."
        )
        parser.add_argument(
            "--days",
            type=whole_number,
            default=DEFAULT_DAYS,
            help=f"How many days to look back. Default: {DEFAULT_DAYS}.",
        )
        parser.add_argument(
            "--max-events", type=whole_number, metavar="N", help="Stop after this many events. Default: all."
        )

    def report(self, *, file: str, tenant: str, sandbox: bool, days: int, **options: Any) -> Mapping[str, Any]:
        if not 1 <= days <= MAX_DAYS:
            raise CommandError(f"--days must be from 1 to {MAX_DAYS}.")
        plan = plan_of_file(existing_tenant(tenant, sandbox=sandbox), file, prunes=options["prune"])
        impact: Impact = impact_of(plan, days=days, now=timezone.now(), max_events=options["max_events"])
        return impact.to_json() if options["json"] else dict(impact_in_words(impact))
