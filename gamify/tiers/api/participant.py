"""Tier endpoints for any active key."""

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.tiers import selectors, services
from gamify.tiers.api import examples
from gamify.tiers.api.serializers import AssignedAnswer, AssignmentBody, StandingAnswer
from gamify.tiers.profile import current_and_next
from gamify.tiers.services import Assignment, TierNotFound
from participants.api.idempotency import REPLAYED, header_key
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, render, writes_participant
from participants.profile import Subject
from participants.selectors import find_participant
from participants.work import reading


class TierViewSet(KeyViewSet):
    @writes_participant
    @operation(
        "assign_tier",
        body=AssignmentBody,
        answer=AssignedAnswer,
        idempotent=True,
        errors=[TierNotFound("platinum"), PARTICIPANT_CAP],
        example=examples.ASSIGN,
    )
    def assign(self, request: Request) -> Response:
        """Move a participant into a tier, up or down, whatever their points are.

        The tier stays until a later award crosses the threshold of a higher tier. An unknown participant is created.
        """
        assignment = Assignment(**self.body(AssignmentBody), idempotency_key=header_key(request))
        self.take_write(assignment.participant_id)
        assigned = services.assign(tenant=self.tenant, assignment=assignment, now=self.now)
        return Response(render(AssignedAnswer, assigned), headers=REPLAYED if assigned.is_replay else None)


class ParticipantTierViewSet(KeyViewSet):
    @operation("get_tier_standing", answer=StandingAnswer, example=examples.STANDING)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """The current tier, the next one, and the history of changes.

        An unknown participant has no tier; their next tier is the lowest automatic one.
        """
        with reading(self.tenant) as tenant:
            subject = Subject(tenant, participant_id, find_participant(tenant, participant_id, now=self.now), self.now)
            history = selectors.history_of(subject.participant)
            current, following = current_and_next(subject, achieved_at=history[-1].changed_at if history else None)
        answer = {
            "participant_id": participant_id,
            "current_tier": current,
            "next_tier": following,
            "tier_history": history,
        }
        return Response(render(StandingAnswer, answer))
