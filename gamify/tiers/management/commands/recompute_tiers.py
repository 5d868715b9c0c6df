from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from gamify.tiers.selectors import awarded_in_chunks
from gamify.tiers.services import recompute
from participants.management.base import ReportingCommand
from participants.selectors import tenant_by_slug
from participants.services.tenants import TenantNotFound

CHUNK = 100


class Command(ReportingCommand):
    help = "Raise everyone whose points suffice for a higher tier, as their next award would. Lowers nobody."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--sandbox", action="store_true", help="The sandbox twin instead.")
        parser.add_argument("--dry-run", action="store_true", help="Say how many would be raised, and raise nobody.")

    def report(self, *, tenant: str, sandbox: bool, **options: Any) -> Mapping[str, Any]:
        found = tenant_by_slug(tenant, sandbox=sandbox)
        if found is None:
            raise TenantNotFound(tenant)
        looked_at = raised = 0
        for chunk in awarded_in_chunks(found, size=CHUNK):
            raised += recompute(tenant=found, participant_ids=chunk, now=timezone.now(), is_dry_run=options["dry_run"])
            looked_at += len(chunk)
        return {"participants": looked_at, "raised": raised, "dry_run": options["dry_run"]}
