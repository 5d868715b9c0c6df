from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from participants.management.base import ReportingCommand, existing_tenant
from participants.services.hmac import create_hmac_secret


class Command(ReportingCommand):
    help = "Create a secret for a partner to sign with and print it: the only time it can be read."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--sandbox", action="store_true", help="A secret for the sandbox twin.")
        parser.add_argument("--name", default="", help="What people will recognise it by.")

    def report(self, *, tenant: str, sandbox: bool, name: str, **options: Any) -> Mapping[str, Any]:
        owner = existing_tenant(tenant, sandbox=sandbox)
        made = create_hmac_secret(tenant=owner, name=name, now=timezone.now())
        return {
            "id": made.row.pk,
            "secret": made.text,
            "tenant_id": owner.pk,
            "environment": owner.environment,
            "name": made.row.name,
        }
