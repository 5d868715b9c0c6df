from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from participants.engine import NOT_AN_INSTANT, instant_of
from participants.errors import InvalidInput
from participants.management.base import ReportingCommand, add_tenant, columns_of, existing_tenant, whole_number
from participants.models.keys import Scope
from participants.services.keys import create_api_key


class Command(ReportingCommand):
    help = "Create an API key and print it. It cannot be shown again."

    def arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument("--scope", action="append", default=[], choices=Scope.values, help="May be repeated.")
        parser.add_argument("--name", default="", help="Name, by which people recognise it.")
        expiry = parser.add_mutually_exclusive_group()
        expiry.add_argument("--expires-in-days", type=whole_number, metavar="N", help="Default: never.")
        expiry.add_argument(
            "--expires-at", metavar="ISO", help="Example: 2026-12-31T00:00:00Z. Without an offset it is UTC."
        )

    def report(self, *, tenant: str, scope: list[str], name: str, **options: Any) -> Mapping[str, Any]:
        now = timezone.now()
        new = create_api_key(
            tenant=existing_tenant(tenant, sandbox=options["sandbox"]),
            scopes=scope,
            name=name,
            expires_at=_expiry(options["expires_in_days"], options["expires_at"], now=now),
            now=now,
        )
        about = columns_of(new.row, "prefix", "tenant_id", "scopes", "name", "expires_at")
        return {"id": new.row.pk, "key": new.key, **about}


def _expiry(days: int | None, at: str | None, *, now: datetime) -> datetime | None:
    if at is None:
        return None if days is None else now + timedelta(days=days)
    instant = instant_of(at)
    if instant is None:
        raise InvalidInput("expires_at", f"{NOT_AN_INSTANT} Got '{at}'.")
    return instant
