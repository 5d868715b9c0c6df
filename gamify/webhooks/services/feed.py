"""The feed for pull consumers: complete, and in order for a reader that follows the cursor."""

from datetime import datetime

from gamify.webhooks.models import FeedHead
from gamify.webhooks.selectors.feed import FeedFilter, FeedPage, events_without_position, feed_head, feed_page
from gamify.webhooks.services.sequencing import CHUNK, assign_positions
from participants.engine import MAX_BIGINT
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant

LATEST = "latest"
UNKNOWN_CURSOR = "Is not a cursor of this feed: it is greater than the newest one."
MAX_CHUNKS = 20


class CursorExpired(DomainError):
    """Some of the events after the cursor were removed: a reader that continues there would miss events."""

    code = "cursor_expired"
    status = 410

    def __init__(self) -> None:
        super().__init__("Events after this cursor were removed; start again without a cursor")


def read_feed(*, tenant: Tenant, feed_filter: FeedFilter, after: str | None, limit: int, now: datetime) -> FeedPage:
    """Return up to `limit` events after the cursor `after`. None: from the oldest event. `latest`: no events, but the current cursor.

    Everything committed before the call is in the feed. Raises: InvalidInput for an invalid cursor; CursorExpired.
    """
    _assign_missing_positions(tenant, now=now)
    return feed_page(tenant, feed_filter, after=position_of(after, feed_head(tenant)), limit=limit)


def _assign_missing_positions(tenant: Tenant, *, now: datetime) -> None:
    """Assign positions to at most MAX_CHUNKS chunks, to limit the time of one read. The next read or a worker does the rest."""
    for _ in range(MAX_CHUNKS):
        if (
            not events_without_position().filter(tenant_id=tenant.pk).exists()
            or assign_positions(tenant_id=tenant.pk, now=now) < CHUNK
        ):
            return


def position_of(cursor: str | None, head: FeedHead) -> int:
    """Return the position of a cursor. Raises: InvalidInput or CursorExpired."""
    if cursor is None:
        return head.pruned_through
    if cursor == LATEST:
        return head.position
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > len(str(MAX_BIGINT)):
        raise InvalidInput("after", "Must be a `next_cursor` of this feed, or latest.")
    position = int(cursor)
    if position > head.position:
        raise InvalidInput("after", UNKNOWN_CURSOR)
    if position < head.pruned_through:
        raise CursorExpired
    return position


def start_position(*, tenant: Tenant, after: str, now: datetime) -> int:
    """Return the position of the cursor `after`. `latest` is after everything committed before the call. Raises: as `read_feed`."""
    _assign_missing_positions(tenant, now=now)
    return position_of(after, feed_head(tenant))
