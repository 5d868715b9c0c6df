from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from gamify.badges.services import award_to_eligible
from participants.management.base import ReportingCommand, add_tenant, existing_tenant
from participants.management.progress import progress_bar
from participants.models import Participant


class Command(ReportingCommand):
    help = (
        "Award a badge to all participants who meet its criteria and do not have it. An interrupted run can be repeated. "
        "Publishes no domain events unless --emit is given."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument("--badge", required=True, metavar="CODE", help="The badge.")
        parser.add_argument("--dry-run", action="store_true", help="Report how many would get it, and award nothing.")
        parser.add_argument("--emit", action="store_true", help="Publish domain events to webhooks and feed.")

    def report(self, *, tenant: str, sandbox: bool, badge: str, **options: Any) -> Mapping[str, Any]:
        owner = existing_tenant(tenant, sandbox=sandbox)
        looked_at = met = 0
        with progress_bar(options, total=Participant.objects.of(owner).count()) as moved:
            for chunk in award_to_eligible(
                tenant=owner,
                badge_code=badge,
                now=timezone.now(),
                is_silent=not options["emit"],
                is_dry_run=options["dry_run"],
            ):
                looked_at, met = looked_at + chunk.participants, met + chunk.eligible
                moved(chunk.participants)
        return {"participants": looked_at, "awarded": met, "dry_run": options["dry_run"]}
