from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from participants.auditing import Drift
from participants.management.base import ReportingCommand, existing_tenant, whole_number
from participants.management.progress import progress_bar
from participants.models import Tenant
from participants.services.auditing import audit, audit_size

LIMIT = 100


class Command(ReportingCommand):
    help = (
        "Report rows that contradict each other: balances and ledger, expiring credits, tiers, badges, claims, codes and stock, "
        "stored idempotent answers and emitted events. Changes nothing. Exits with code 1 if it finds a contradiction."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tenant", metavar="SLUG", help="Check this tenant. Default: all tenants and their sandboxes."
        )
        parser.add_argument("--sandbox", action="store_true", help="Check the sandbox of that tenant.")
        parser.add_argument(
            "--limit", type=whole_number, default=LIMIT, help="Print at most this many; all are counted. Default: 100."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.found: list[dict[str, Any]] = []
        self.rows = self.drifts = 0
        super().handle(*args, **options)
        if self.drifts:
            raise SystemExit(1)

    def report(self, *, tenant: str | None, sandbox: bool, json: bool, **options: Any) -> Mapping[str, Any]:
        tenants = _tenants(tenant, sandbox=sandbox)
        with progress_bar({**options, "json": json}, total=sum(map(audit_size, tenants))) as moved:
            for each in tenants:
                printer = self._printer(each, limit=options["limit"], is_printed=not json)
                audited = audit(tenant=each, now=timezone.now(), report=printer, report_progress=moved)
                self.rows, self.drifts = self.rows + audited.rows, self.drifts + audited.drifts
        counts = {"tenants": len(tenants), "rows": self.rows, "drifts": self.drifts}
        return {**counts, "found": self.found} if json else counts

    def _printer(self, tenant: Tenant, *, limit: int, is_printed: bool) -> Callable[[Drift], None]:
        """Return a function that collects drifts, up to `limit` in total, and prints them as they are found."""

        def add(drift: Drift) -> None:
            if len(self.found) >= limit:
                return
            line = {"tenant": tenant.slug, "environment": tenant.environment, **asdict(drift)}
            self.found.append(line)
            if is_printed:
                self.stdout.write(_sentence(line))

        return add


def _tenants(slug: str | None, *, sandbox: bool) -> Sequence[Tenant]:
    """Return the tenant with this slug, or its sandbox; without a slug all tenants. Raises TenantNotFound."""
    return list(Tenant.objects.all()) if slug is None else [existing_tenant(slug, sandbox=sandbox)]


def _sentence(line: Mapping[str, Any]) -> str:
    where = f"{line['tenant']} {line['environment']}, {line['audit']}: {line['about']}"
    return f"{where}: {line['what']}: expected {line['expected']}, found {line['found']}"
