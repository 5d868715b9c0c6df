from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils import timezone

from participants.figures import today_of
from participants.management.base import ReportingCommand, add_tenant, existing_tenant
from participants.management.progress import progress_bar
from participants.services.figures import rebuild


def day(text: str) -> date:
    """argparse type for a date such as 2026-02-14."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"must be a date, such as 2026-02-14; got '{text}'") from None


class Command(ReportingCommand):
    help = (
        "Compute the daily figures of the overview again, from a day to today. Needed after an import of history, "
        "because the sweep computes each day only until one day after its end."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument(
            "--since", required=True, type=day, metavar="DATE", help="The first day, in the tenant's time zone."
        )

    def report(self, *, tenant: str, sandbox: bool, since: date, **options: Any) -> Mapping[str, Any]:
        owner, now, days = existing_tenant(tenant, sandbox=sandbox), timezone.now(), 0
        with progress_bar(options, total=max(0, (today_of(owner, now) - since).days + 1)) as moved:
            for step in rebuild(tenant=owner, since=since, now=now):
                days += step
                moved(step)
        return {"tenant": owner.slug, "environment": owner.environment, "days": days}
