from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from gamify.tiers.selectors import award_recipients_in_chunks, count_award_recipients
from gamify.tiers.services import recompute
from participants.management.base import ReportingCommand, existing_tenant
from participants.management.progress import progress_bar

CHUNK = 100


class Command(ReportingCommand):
    help = (
        "Move all participants whose points are enough for a higher tier into it, as their next award would. "
        "No participant is moved down."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, nargs="+", metavar="SLUG", help="One or more tenants.")
        parser.add_argument("--sandbox", action="store_true", help="Process the sandboxes of these tenants instead.")
        parser.add_argument("--dry-run", action="store_true", help="Only count the participants that would move up.")

    def report(self, *, tenant: Sequence[str], sandbox: bool, **options: Any) -> Mapping[str, Any]:
        tenants = [existing_tenant(slug, sandbox=sandbox) for slug in dict.fromkeys(tenant)]
        looked_at = raised = 0
        with progress_bar(options, total=sum(map(count_award_recipients, tenants))) as moved:
            for each in tenants:
                for chunk in award_recipients_in_chunks(each, size=CHUNK):
                    now, is_dry_run = timezone.now(), options["dry_run"]
                    raised += recompute(tenant=each, participant_ids=chunk, now=now, is_dry_run=is_dry_run)
                    looked_at += len(chunk)
                    moved(len(chunk))
        return {"participants": looked_at, "raised": raised, "dry_run": options["dry_run"]}
