from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from participants.management.base import ReportingCommand, columns_of
from participants.services.tenants import set_tenant_status


class Command(ReportingCommand):
    help = "Enable or disable a tenant together with its sandbox."

    can_roll_back = True

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="The tenant.")
        choice = parser.add_mutually_exclusive_group(required=True)
        choice.add_argument("--enable", action="store_true", help="Accept its keys again.")
        choice.add_argument("--disable", action="store_true", help="Refuse all its keys with 403.")

    def report(self, *, slug: str, enable: bool, **options: Any) -> Mapping[str, Any]:
        tenant = set_tenant_status(slug=slug, is_active=enable, now=timezone.now())
        return columns_of(tenant, "id", "slug", "is_active")
