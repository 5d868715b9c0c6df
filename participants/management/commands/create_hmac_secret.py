from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from participants.management.base import ReportingCommand, add_tenant, existing_tenant
from participants.services.hmac import create_hmac_secret


class Command(ReportingCommand):
    help = "Create a secret with which a partner signs requests, and print it. It cannot be shown again."

    def arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument("--name", default="", help="Name, by which people recognise it.")

    def report(self, *, tenant: str, sandbox: bool, name: str, **options: Any) -> Mapping[str, Any]:
        owner = existing_tenant(tenant, sandbox=sandbox)
        new = create_hmac_secret(tenant=owner, name=name, now=timezone.now())
        about = {"tenant_id": owner.pk, "environment": owner.environment, "name": new.row.name}
        return {"id": new.row.pk, "secret": new.text, **about}
