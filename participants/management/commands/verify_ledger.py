from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from participants.auditing import Drift
from participants.management.base import ReportingCommand, existing_tenant, whole_number
from participants.management.progress import counting
from participants.models import Tenant
from participants.services.auditing import audit, audit_size

LIMIT = 100


class Command(ReportingCommand):
    help = (
        "Say what does not agree: balances and the ledger, credits that expire, tiers, badges, claims, codes and stock, what was "
        "answered under keys and told to the outside. Changes nothing. Exits 1 where anything was found."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tenant", metavar="SLUG", help="Of this tenant; of all and their sandboxes when left out."
        )
        parser.add_argument("--sandbox", action="store_true", help="The sandbox twin of that tenant instead.")
        parser.add_argument(
            "--limit", type=whole_number, default=LIMIT, help="Print so many; all are counted. Default: 100."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.told: list[dict[str, Any]] = []
        self.rows = self.drifts = 0
        super().handle(*args, **options)
        if self.drifts:
            raise SystemExit(1)

    def report(self, *, tenant: str | None, sandbox: bool, json: bool, **options: Any) -> Mapping[str, Any]:
        tenants = _tenants(tenant, sandbox=sandbox)
        with counting({**options, "json": json}, total=sum(map(audit_size, tenants))) as moved:
            for each in tenants:
                teller = self._teller(each, limit=options["limit"], is_printed=not json)
                audited = audit(tenant=each, now=timezone.now(), report=teller, report_progress=moved)
                self.rows, self.drifts = self.rows + audited.rows, self.drifts + audited.drifts
        counts = {"tenants": len(tenants), "rows": self.rows, "drifts": self.drifts}
        return {**counts, "found": self.told} if json else counts

    def _teller(self, tenant: Tenant, *, limit: int, is_printed: bool) -> Callable[[Drift], None]:
        """Drifts are printed as they are found, up to `limit` of them."""

        def tell(drift: Drift) -> None:
            if len(self.told) >= limit:
                return
            line = {"tenant": tenant.slug, "environment": tenant.environment, **asdict(drift)}
            self.told.append(line)
            if is_printed:
                self.stdout.write(_sentence(line))

        return tell


def _tenants(slug: str | None, *, sandbox: bool) -> Sequence[Tenant]:
    """Raises TenantNotFound."""
    return list(Tenant.objects.all()) if slug is None else [existing_tenant(slug, sandbox=sandbox)]


def _sentence(line: Mapping[str, Any]) -> str:
    where = f"{line['tenant']} {line['environment']}, {line['audit']}: {line['about']}"
    return f"{where}: {line['what']}: expected {line['expected']}, found {line['found']}"
