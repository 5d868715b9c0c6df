"""The feed as pages and as a stream, for keys with the admin scope."""

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from gamify.webhooks import services
from gamify.webhooks.api import examples
from gamify.webhooks.api.serializers import FeedAnswer, FeedFilterQuery, FeedQuery, feed_answer
from gamify.webhooks.api.streaming import MEDIA_TYPE, StreamsBusy, open_stream, stream_response
from gamify.webhooks.selectors.feed import FeedFilter
from gamify.webhooks.services import CursorExpired
from gamify.webhooks.services.feed import UNKNOWN_CURSOR
from participants.api.schema import operation
from participants.api.views import AdminViewSet
from participants.errors import InvalidInput
from participants.work import reading


class FeedViewSet(AdminViewSet):
    @operation(
        "read_feed",
        query=FeedQuery,
        answer=FeedAnswer,
        errors=[CursorExpired(), InvalidInput("after", UNKNOWN_CURSOR)],
        example=examples.FEED,
    )
    def retrieve(self, request: Request) -> Response:
        """The domain events, in order. Call again with `after` set to the answer's `next_cursor`: no event is ever skipped.

        The order is the order of commits: the events of one participant come in the order in which they happened. Everything that was
        committed before the call is included. Webhooks receive the same events.
        """
        query = self.query(FeedQuery)
        with reading(self.tenant):
            page = services.read_feed(
                tenant=self.tenant,
                feed_filter=_feed_filter(query),
                after=query.get("after"),
                limit=query["limit"],
                now=self.now,
            )
            return Response(feed_answer(page))

    @operation(
        "stream_feed",
        query=FeedFilterQuery,
        answer=OpenApiTypes.STR,
        errors=[CursorExpired(), StreamsBusy()],
        example=examples.STREAM,
        media_type=MEDIA_TYPE,
    )
    def stream(self, request: Request) -> HttpResponseBase:
        """The same events as Server-Sent Events, live: from now on, or after `Last-Event-ID`.

        The server closes each connection after a while. Clients of this protocol then reconnect and continue where they were. The
        number of open connections depends on how the server runs; the answer is 503 when all are in use.
        """
        query = self.query(FeedFilterQuery)
        after = request.headers.get("Last-Event-ID") or services.LATEST
        stream = open_stream(tenant=self.tenant, feed_filter=_feed_filter(query), after=after, now=self.now)
        return stream_response(stream)


def _feed_filter(query: dict[str, Any]) -> FeedFilter:
    return FeedFilter(query["types"], query.get("participant_id"))
