from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from participants.management.base import ReportingCommand, columns_of
from participants.services.hmac import revoke_hmac_secret


class Command(ReportingCommand):
    help = "Revoke a partner's secret, given by its id."

    can_roll_back = True

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("secret_id", metavar="ID", help="The secret.")

    def report(self, *, secret_id: str, **options: Any) -> Mapping[str, Any]:
        revoked = revoke_hmac_secret(secret_id=secret_id, now=timezone.now())
        return columns_of(revoked, "id", "tenant_id", "name", "revoked_at")
