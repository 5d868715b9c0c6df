"""The feed as Server-Sent Events, for as long as a thread of the web server can be spared for it.

Under WSGI an open stream keeps a thread busy. So a process has only so many of them (`FEED_STREAMS`), each ends after
`FEED_STREAM_SECONDS`, and the client comes again with the last id that it was told.
"""

import time
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from threading import BoundedSemaphore

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils import timezone

from gamify.webhooks import services
from gamify.webhooks.engine.messages import message_bytes, message_of
from gamify.webhooks.selectors.feed import FeedFilter, FeedPage
from participants.errors import DomainError
from participants.models import DomainEvent, Tenant
from participants.work import reading

MEDIA_TYPE = "text/event-stream"
POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 1000
PAGE = 200


class StreamsBusy(DomainError):
    """This process has no thread to spare for another stream."""

    code = "service_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "No more streams can be open here; follow the feed by pages, or try again", headers={"Retry-After": "5"}
        )


@cache
def _places() -> BoundedSemaphore:
    return BoundedSemaphore(settings.FEED_STREAMS)


class FeedStream:
    """Chunks of `text/event-stream`. It holds one of this process's places until it is closed."""

    def __init__(self, tenant: Tenant, following: FeedFilter, page: FeedPage) -> None:
        self._tenant = tenant
        self._following = following
        self._page = page
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        ends_at = told_at = time.monotonic()
        ends_at += settings.FEED_STREAM_SECONDS
        yield f"retry: {RETRY_MILLISECONDS}\nid: {self._page.cursor}\n\n".encode()
        while time.monotonic() < ends_at:
            if chunk := self._next_chunk(is_quiet=time.monotonic() - told_at > HEARTBEAT_SECONDS):
                told_at = time.monotonic()
                yield chunk
            if not self._page.has_more:
                time.sleep(POLL_SECONDS)

    def _next_chunk(self, *, is_quiet: bool) -> bytes:
        """The next events; where there are none, now and then, how far the feed has come."""
        with reading(self._tenant):
            after = str(self._page.cursor)
            self._page = _page(self._tenant, self._following, after, now=timezone.now())
        if self._page.events:
            return b"".join(map(_written, self._page.events))
        return f": still here\nid: {self._page.cursor}\n\n".encode() if is_quiet else b""

    def close(self) -> None:
        """Called by the response when the client is gone, or the end has come."""
        if self._is_open:
            self._is_open = False
            _places().release()


def _page(tenant: Tenant, following: FeedFilter, after: str, *, now: datetime, limit: int = PAGE) -> FeedPage:
    return services.read_feed(tenant=tenant, following=following, after=after, limit=limit, now=now)


def _written(event: DomainEvent) -> bytes:
    head = f"id: {event.position}\nevent: {event.type}\ndata: ".encode()
    return head + message_bytes(message_of(event)) + b"\n\n"


def open_stream(*, tenant: Tenant, following: FeedFilter, after: str, now: datetime) -> FeedStream:
    """Raises InvalidInput or CursorExpired for `after`, or StreamsBusy."""
    begins_at = services.start_position(tenant=tenant, after=after, now=now)
    if not _places().acquire(blocking=False):
        raise StreamsBusy
    return FeedStream(tenant, following, FeedPage((), begins_at, has_more=True))


def stream_response(stream: FeedStream) -> StreamingHttpResponse:
    """Told to proxies that it must not be kept back."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type=MEDIA_TYPE, headers=headers)
