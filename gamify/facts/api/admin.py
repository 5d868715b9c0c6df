"""Events are undone by keys with the admin scope."""

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.facts import services
from gamify.facts.api import examples
from gamify.facts.api.serializers import ReversalBody, ReversalQuery, ReversedEvent
from gamify.facts.selectors import EventNotFound
from gamify.facts.services import AlreadyReversed
from participants.api.schema import operation
from participants.api.views import AdminViewSet, rendered
from participants.errors import InvalidInput


class AdminEventsViewSet(AdminViewSet):
    @operation(
        "reverse_event",
        body=ReversalBody,
        query=ReversalQuery,
        answer=ReversedEvent,
        errors=[
            EventNotFound(examples.EVENT_ID),
            AlreadyReversed(),
            InvalidInput("reason", "Ensure this field has no more than 500 characters."),
        ],
        example=examples.REVERSED,
    )
    def reverse(self, request: Request, event_id: str) -> Response:
        """Undo an event with everything that came of it, once: badges, rewards, ticks of streaks, progress in challenges, and
        limits of rules that it used up. The event stays in the history, and bears when it was reversed.

        What could not be taken back is told with the reason. With `dry_run` the answer is the same, and nothing happens.
        """
        reason, is_dry_run = self.body(ReversalBody).get("reason"), self.query(ReversalQuery)["dry_run"]
        answer = services.reverse_event(
            tenant=self.tenant, event_id=event_id, reason=reason, now=self.now, is_dry_run=is_dry_run
        )
        return Response(rendered(ReversedEvent, answer))
