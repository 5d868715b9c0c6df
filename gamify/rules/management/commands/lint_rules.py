from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from gamify.rules.selectors import Finding, Level, findings
from participants.management.base import ReportingCommand
from participants.models import Tenant
from participants.selectors import tenant_by_slug
from participants.services.tenants import TenantNotFound
from participants.work import reading


class Command(ReportingCommand):
    help = "Report rules that can never fire, trigger themselves, or give something that does not exist. Exits with 1 on errors."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="Only this tenant and its sandbox. Default: all tenants.")

    def handle(self, *args: Any, **options: Any) -> None:
        self.errors = 0
        super().handle(*args, **options)
        if self.errors:
            raise SystemExit(1)

    def report(self, *, tenant: str | None, json: bool, **options: Any) -> Mapping[str, Any]:
        lines = [line for each in _tenants(tenant) for line in _findings(each)]
        levels = [line["level"] for line in lines]
        self.errors = levels.count(Level.ERROR)
        if not json:
            for line in lines:
                self.stdout.write(_sentence(line))
        counts = {f"{level.value}s": levels.count(level) for level in Level}
        return {**counts, "findings": lines} if json else counts


def _tenants(slug: str | None) -> Sequence[Tenant]:
    """Return live and sandbox tenants. Raises: TenantNotFound."""
    live = (
        list(Tenant.objects.live().select_related("sandbox")) if slug is None else [tenant_by_slug(slug, sandbox=False)]
    )
    if None in live:
        raise TenantNotFound(str(slug))
    return [each for tenant in live if tenant is not None for each in (tenant, tenant.sandbox)]


def _findings(tenant: Tenant) -> list[dict[str, str]]:
    with reading(tenant):
        return [_to_json(found, tenant) for found in findings(tenant, now=timezone.now())]


def _to_json(found: Finding, tenant: Tenant) -> dict[str, str]:
    return {
        "tenant": tenant.slug,
        "environment": tenant.environment,
        "rule": found.rule.code,
        "level": found.level.value,
        "field": found.field,
        "message": found.message,
    }


def _sentence(line: Mapping[str, str]) -> str:
    whose = f"{line['tenant']} {line['environment']}, rule {line['rule']}"
    return f"{line['level']}: {whose}: {line['field']}: {line['message']}"
