"""Prints what happens, as it happens."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gamify.webhooks import services
from gamify.webhooks.definitions import types_matching
from gamify.webhooks.engine.messages import instant_text
from gamify.webhooks.selectors.feed import FeedFilter, FeedPage
from participants.api.fields import words_of
from participants.errors import DomainError
from participants.management.base import existing_tenant
from participants.models import DomainEvent, Tenant

POLL_SECONDS = 0.5
PAGE = 500


class Command(BaseCommand):
    help = "Print a tenant's events live, as the feed has them, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="Slug of the tenant.")
        parser.add_argument("--sandbox", action="store_true", help="Of its sandbox.")
        parser.add_argument("--types", default="*", help="Only these: streak.*,points.awarded. Default: all.")
        parser.add_argument("--participant", help="Only what is about this participant.")
        parser.add_argument(
            "--after", default=services.LATEST, help="A cursor to begin behind; oldest: from the first event."
        )
        parser.add_argument("--once", action="store_true", help="End where there is no more for now.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object on each line, with its cursor.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._follow(**options)
        except DomainError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            return

    def _follow(self, *, tenant: str, sandbox: bool, after: str, idempotency: bool, **options: Any) -> None:
        listened_to = existing_tenant(tenant, sandbox=sandbox)
        following = FeedFilter(types_matching(words_of(options["types"])), options["participant"])
        page = _page(listened_to, following, None if after == "oldest" else after)
        while True:
            for event in page.events:
                self.stdout.write(_line(event, as_json=options["json"]))
            self.stdout.flush()  # who reads it through a pipe wants it live, too
            if not page.has_more:
                if idempotency:
                    return
                time.sleep(POLL_SECONDS)
            page = _page(listened_to, following, str(page.cursor))


def _page(tenant: Tenant, following: FeedFilter, after: str | None) -> FeedPage:
    return services.read_feed(tenant=tenant, following=following, after=after, limit=PAGE, now=timezone.now())


def _line(event: DomainEvent, *, as_json: bool) -> str:
    if as_json:
        about = {"cursor": str(event.position), "id": str(event.pk), "type": event.type}
        return json.dumps({**about, "occurred_at": instant_text(event.occurred_at), "data": event.data})
    told = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in event.data.items())
    return f"{instant_text(event.occurred_at)}  {event.type:<28}  {told}"
