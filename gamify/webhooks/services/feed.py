"""The feed for pull consumers: complete and in order for whoever follows the cursor."""

from datetime import datetime

from gamify.webhooks.models import FeedHead
from gamify.webhooks.selectors.feed import FeedFilter, FeedPage, events_without_position, feed_head, feed_page
from gamify.webhooks.services.sequencing import CHUNK, assign_positions
from participants.engine import MAX_BIGINT
from participants.errors import DomainError, InvalidInput
from participants.models import Tenant

LATEST = "latest"
MAX_CHUNKS = 20


class CursorExpired(DomainError):
    """What comes behind it has been removed in part: whoever went on from here would miss events."""

    code = "cursor_expired"
    status = 410

    def __init__(self) -> None:
        super().__init__("Events behind this cursor are not kept any more; begin anew without one")


def read_feed(*, tenant: Tenant, following: FeedFilter, after: str | None, limit: int, now: datetime) -> FeedPage:
    """The next `limit` events behind the cursor `after`; from the oldest that are kept without one, none yet with `latest`.

    What has been committed before the call is in the feed. Raises InvalidInput for what is no cursor of this feed, or CursorExpired.
    """
    _place_what_waits(tenant, now=now)
    return feed_page(tenant, following, after=position_of(after, feed_head(tenant)), limit=limit)


def _place_what_waits(tenant: Tenant, *, now: datetime) -> None:
    """As far as one reader can be asked to; the rest has `has_more` to wait for, or a worker to come by."""
    for _ in range(MAX_CHUNKS):
        if (
            not events_without_position().filter(tenant_id=tenant.pk).exists()
            or assign_positions(tenant_id=tenant.pk, now=now) < CHUNK
        ):
            return


def position_of(cursor: str | None, head: FeedHead) -> int:
    """The position that a cursor means. Raises InvalidInput or CursorExpired."""
    if cursor is None:
        return head.pruned_through
    if cursor == LATEST:
        return head.position
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > len(str(MAX_BIGINT)):
        raise InvalidInput("after", "Must be a cursor of this feed, as `next_cursor` told it, or latest.")
    position = int(cursor)
    if position > head.position:
        raise InvalidInput("after", "Is not a cursor of this feed: it has not come so far.")
    if position < head.pruned_through:
        raise CursorExpired
    return position


def start_position(*, tenant: Tenant, after: str, now: datetime) -> int:
    """The position from which a reader goes on, behind what has been committed where that is `latest`. Raises as `read_feed`."""
    _place_what_waits(tenant, now=now)
    return position_of(after, feed_head(tenant))
