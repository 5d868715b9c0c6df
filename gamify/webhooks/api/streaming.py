"""The feed as Server-Sent Events.

Under WSGI an open stream occupies a thread of the web server. So a process accepts at most `FEED_STREAMS` streams, and each ends
after `FEED_STREAM_SECONDS`. The client then reconnects with the last id that it received.
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
    """All streams that this process accepts are open."""

    code = "service_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__(
            "No more streams can be opened; read the feed page by page, or try again", headers={"Retry-After": "5"}
        )


@cache
def _slots() -> BoundedSemaphore:
    """The streams that this process may still open."""
    return BoundedSemaphore(settings.FEED_STREAMS)


class FeedStream:
    """Iterable of `text/event-stream` chunks. It holds one of the process's slots until it is closed."""

    def __init__(self, tenant: Tenant, feed_filter: FeedFilter, page: FeedPage) -> None:
        self._tenant = tenant
        self._feed_filter = feed_filter
        self._page = page
        self._is_open = True

    def __iter__(self) -> Iterator[bytes]:
        ends_at = sent_at = time.monotonic()
        ends_at += settings.FEED_STREAM_SECONDS
        yield f"retry: {RETRY_MILLISECONDS}\nid: {self._page.cursor}\n\n".encode()
        while time.monotonic() < ends_at:
            if chunk := self._next_chunk(is_quiet=time.monotonic() - sent_at > HEARTBEAT_SECONDS):
                sent_at = time.monotonic()
                yield chunk
            if not self._page.has_more:
                time.sleep(POLL_SECONDS)

    def _next_chunk(self, *, is_quiet: bool) -> bytes:
        """Return the next events. Without events, return the feed's position if the stream was quiet, else nothing."""
        with reading(self._tenant):
            after = str(self._page.cursor)
            self._page = _page(self._tenant, self._feed_filter, after, now=timezone.now())
        if self._page.events:
            return b"".join(map(_event_bytes, self._page.events))
        return f": still here\nid: {self._page.cursor}\n\n".encode() if is_quiet else b""

    def close(self) -> None:
        """Free the slot. The response calls this when it ends or the client disconnects."""
        if self._is_open:
            self._is_open = False
            _slots().release()


def _page(tenant: Tenant, feed_filter: FeedFilter, after: str, *, now: datetime, limit: int = PAGE) -> FeedPage:
    return services.read_feed(tenant=tenant, feed_filter=feed_filter, after=after, limit=limit, now=now)


def _event_bytes(event: DomainEvent) -> bytes:
    head = f"id: {event.position}\nevent: {event.type}\ndata: ".encode()
    return head + message_bytes(message_of(event)) + b"\n\n"


def open_stream(*, tenant: Tenant, feed_filter: FeedFilter, after: str, now: datetime) -> FeedStream:
    """Open a stream after the cursor `after`. Raises: InvalidInput or CursorExpired for the cursor; StreamsBusy."""
    begins_at = services.start_position(tenant=tenant, after=after, now=now)
    if not _slots().acquire(blocking=False):
        raise StreamsBusy
    return FeedStream(tenant, feed_filter, FeedPage((), begins_at, has_more=True))


def stream_response(stream: FeedStream) -> StreamingHttpResponse:
    """Build the response. Its headers keep proxies from buffering the stream."""
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type=MEDIA_TYPE, headers=headers)
