"""Prints a tenant's domain events live."""

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from gamify.webhooks import services
from gamify.webhooks.definitions import types_matching
from gamify.webhooks.selectors.feed import FeedFilter, FeedPage
from participants.api.fields import split_words
from participants.engine import instant_text
from participants.errors import DomainError
from participants.management.base import add_tenant, existing_tenant
from participants.models import DomainEvent, Tenant
from participants.work import reading

POLL_SECONDS = 0.5
PAGE = 500


class Command(BaseCommand):
    help = "Print a tenant's domain events live, in the order of the feed, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_tenant(parser)
        parser.add_argument(
            "--types", default="*", help="Only these event types: streak.*,points.awarded. Default: all."
        )
        parser.add_argument("--participant", help="Only events about this participant.")
        parser.add_argument(
            "--after", default=services.LATEST, help="Start after this cursor; oldest: from the first event."
        )
        parser.add_argument("--once", action="store_true", help="Stop when there are no further events.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object per line, with its cursor.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._follow(**options)
        except DomainError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            return

    def _follow(self, *, tenant: str, sandbox: bool, after: str, once: bool, **options: Any) -> None:
        owner = existing_tenant(tenant, sandbox=sandbox)
        feed_filter = FeedFilter(types_matching(split_words(options["types"])), options["participant"])
        page = _page(owner, feed_filter, None if after == "oldest" else after)
        while True:
            for event in page.events:
                self.stdout.write(_line(event, as_json=options["json"]))
            self.stdout.flush()  # otherwise a pipe would receive the events late
            if not page.has_more:
                if once:
                    return
                time.sleep(POLL_SECONDS)
            page = _page(owner, feed_filter, str(page.cursor))


def _page(tenant: Tenant, feed_filter: FeedFilter, after: str | None) -> FeedPage:
    with reading(tenant):
        return services.read_feed(tenant=tenant, feed_filter=feed_filter, after=after, limit=PAGE, now=timezone.now())


def _line(event: DomainEvent, *, as_json: bool) -> str:
    if as_json:
        about = {"cursor": str(event.position), "id": str(event.pk), "type": event.type}
        who = {"actor": event.actor_json, "request_id": event.request_id}
        return json.dumps({**about, "occurred_at": instant_text(event.occurred_at), "data": event.data, **who})
    data = " ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in event.data.items())
    return f"{instant_text(event.occurred_at)}  {event.type:<28}  {data}"
