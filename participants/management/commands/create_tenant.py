from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone as clock

from participants.management.base import ReportingCommand, columns_of
from participants.services.tenants import create_tenant


class Command(ReportingCommand):
    help = "Create a tenant and its sandbox."

    can_roll_back = True

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="Public name: 1-64 of a-z, 0-9, - and _.")
        parser.add_argument("--name", help="Display name. Default: the slug.")
        parser.add_argument("--timezone", default="UTC", help="IANA time zone. Default: UTC.")

    def report(self, *, slug: str, name: str | None, timezone: str, **options: Any) -> Mapping[str, Any]:
        tenant = create_tenant(slug=slug, name=name or slug, timezone=timezone, now=clock.now())
        about = columns_of(tenant, "id", "slug", "name", "timezone", "is_active")
        return {**about, "sandbox_id": tenant.sandbox.pk}
