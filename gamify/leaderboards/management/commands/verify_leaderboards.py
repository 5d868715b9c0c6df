from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from gamify.leaderboards.services import Drift, verify
from participants.management.base import ReportingCommand, existing_tenant
from participants.management.progress import counting
from participants.models import Participant

SHOWN = 20


class Command(ReportingCommand):
    help = "Compare leaderboards with the history, and their counts with their scores. Ends with 1 where they differ."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--sandbox", action="store_true", help="The sandbox twin instead.")

    def report(self, *, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        owner = existing_tenant(tenant, sandbox=sandbox)
        looked_at, found = 0, list[Drift]()
        with counting(options, total=Participant.objects.of(owner).count()) as moved:
            for step in verify(tenant=owner, now=timezone.now()):
                looked_at += step.participants
                found += step.drifts
                moved(step.participants)
        if found:
            raise CommandError("\n".join(map(_told, found[:SHOWN])) + f"\n{len(found)} drifts in all.")
        return {"participants": looked_at, "drifts": 0}


def _told(drift: Drift) -> str:
    return f"{drift.board}: {drift.what} is {drift.stored}, and should be {drift.expected}"
