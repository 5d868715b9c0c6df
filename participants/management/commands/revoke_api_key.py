from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from participants.management.base import ReportingCommand, columns_of
from participants.services.keys import revoke_api_key


class Command(ReportingCommand):
    help = "Revoke an API key, given by its id or its prefix."

    can_roll_back = True

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="PREFIX_OR_ID", help="The key.")

    def report(self, *, key: str, **options: Any) -> Mapping[str, Any]:
        revoked = revoke_api_key(prefix_or_id=key, now=timezone.now())
        return columns_of(revoked, "id", "prefix", "tenant_id", "scopes", "revoked_at")
