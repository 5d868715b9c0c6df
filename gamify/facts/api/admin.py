"""Reversal of events, for keys with the admin scope."""

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.facts import services
from gamify.facts.api import examples
from gamify.facts.api.serializers import ReversalBody, ReversedEvent
from gamify.facts.selectors import EventNotFound
from gamify.facts.services import AlreadyReversed
from participants.api.fields import DryRunQuery
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.errors import InvalidInput


class AdminEventsViewSet(AdminViewSet):
    @operation(
        "reverse_event",
        body=ReversalBody,
        query=DryRunQuery,
        answer=ReversedEvent,
        errors=[
            EventNotFound(examples.EVENT_ID),
            AlreadyReversed(),
            InvalidInput("reason", "Ensure this field has no more than 500 characters."),
        ],
        example=examples.REVERSED,
    )
    def reverse(self, request: Request, event_id: str) -> Response:
        """Reverse an event, once, with everything that resulted from it: points, badges, rewards, ticks of streaks, progress in
        challenges, and limits of rules that it used up. The event stays in the history with the time of its reversal.

        The answer lists what was taken back, and what was not, with the reason. With `dry_run` it is the same, and nothing changes.
        """
        reason, is_dry_run = self.body(ReversalBody).get("reason"), self.query(DryRunQuery)["dry_run"]
        answer = services.reverse_event(
            tenant=self.tenant, event_id=event_id, reason=reason, now=self.now, is_dry_run=is_dry_run
        )
        return Response(render(ReversedEvent, answer))
