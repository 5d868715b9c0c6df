"""The feed for pull consumers, as pages and as a stream; for keys with the admin scope."""

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
from participants.api.schema import operation
from participants.api.views import AdminViewSet
from participants.errors import InvalidInput
from participants.work import reading

NO_CURSOR = InvalidInput("after", "Is not a cursor of this feed: it has not come so far.")


class FeedViewSet(AdminViewSet):
    @operation(
        "read_feed", query=FeedQuery, answer=FeedAnswer, errors=[CursorExpired(), NO_CURSOR], example=examples.FEED
    )
    def retrieve(self, request: Request) -> Response:
        """What happened, in order. Ask again with `after` set to the `next_cursor` of the answer: nothing is ever skipped.

        The order is that of commits: each participant's events come as they happened, and what was committed before the call is
        there. Events are the same that webhooks are sent.
        """
        query = self.query(FeedQuery)
        with reading(self.tenant):
            page = services.read_feed(
                tenant=self.tenant,
                following=_following(query),
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
        """The same events as Server-Sent Events, as they happen: from now on, or behind `Last-Event-ID`.

        A connection ends after a while; clients of this protocol then connect anew by themselves, and go on where they were.
        How many can be open at a time depends on how the server is run; beyond that it answers 503.
        """
        query = self.query(FeedFilterQuery)
        after = request.headers.get("Last-Event-ID") or services.LATEST
        stream = open_stream(tenant=self.tenant, following=_following(query), after=after, now=self.now)
        return stream_response(stream)


def _following(query: dict[str, Any]) -> FeedFilter:
    return FeedFilter(query["types"], query.get("participant_id"))
