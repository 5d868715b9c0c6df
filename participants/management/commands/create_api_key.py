from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from participants.errors import InvalidInput
from participants.management.base import ReportingCommand, existing_tenant
from participants.models.keys import Scope
from participants.services.keys import create_api_key


class Command(ReportingCommand):
    help = "Create an API key and print it: the only time it can be read."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, metavar="SLUG")
        parser.add_argument("--scope", action="append", default=[], choices=Scope.values, help="May be repeated.")
        parser.add_argument("--sandbox", action="store_true", help="A bq_test_ key, for the sandbox twin.")
        parser.add_argument("--name", default="", help="What people will recognise it by.")
        expiry = parser.add_mutually_exclusive_group()
        expiry.add_argument("--expires-in-days", type=int, metavar="N")
        expiry.add_argument("--expires-at", metavar="ISO", help="ISO 8601; UTC where no offset is given.")

    def report(self, *, tenant: str, scope: list[str], name: str, **options: Any) -> Mapping[str, Any]:
        now = timezone.now()
        made = create_api_key(
            tenant=existing_tenant(tenant, sandbox=options["sandbox"]),
            scopes=scope,
            name=name,
            expires_at=_expiry(options["expires_in_days"], options["expires_at"], now=now),
            now=now,
        )
        return {
            "id": made.row.pk,
            "key": made.key,
            "prefix": made.row.prefix,
            "tenant_id": made.row.tenant_id,
            "scopes": made.row.scopes,
            "name": made.row.name,
            "expires_at": made.row.expires_at,
        }


def _expiry(days: int | None, at: str | None, *, now: datetime) -> datetime | None:
    if at is not None:
        return _instant(at)
    return None if days is None else now + timedelta(days=days)


def _instant(text: str) -> datetime:
    try:
        instant = parse_datetime(text)
    except ValueError:
        instant = None
    if instant is None:
        raise InvalidInput("expires_at", f"'{text}' is not an ISO 8601 date and time.")
    return instant if timezone.is_aware(instant) else timezone.make_aware(instant)
