"""Challenge endpoints for any active key."""

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.challenges import services
from gamify.challenges.api import examples
from gamify.challenges.api.serializers import (
    EnrolBody,
    EnrolledAnswer,
    OpenChallengesAnswer,
    ParticipantChallengesAnswer,
    enrolment_answer,
    open_challenge_answer,
)
from gamify.challenges.selectors import enrolment_statuses, open_challenges
from gamify.challenges.services import ChallengeNotFound, ChallengeUnavailable
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, render, writes_participant
from participants.catalog import catalog_of
from participants.selectors import find_participant
from participants.work import reading


class ChallengeViewSet(KeyViewSet):
    @operation("list_challenges", answer=OpenChallengesAnswer, example=examples.OPEN)
    def available(self, request: Request) -> Response:
        """The challenges that accept enrolments: active, and not ended."""
        with reading(self.tenant) as tenant:
            challenges = open_challenges(catalog_of(tenant), now=self.now)
        answer = {"challenges": [open_challenge_answer(challenge) for challenge in challenges]}
        return Response(render(OpenChallengesAnswer, answer))

    @writes_participant
    @operation(
        "enroll_in_challenge",
        body=EnrolBody,
        answer=EnrolledAnswer,
        errors=[ChallengeNotFound("spring_quest"), ChallengeUnavailable("spring_quest"), PARTICIPANT_CAP],
        example=examples.ENROLLED,
    )
    def enroll(self, request: Request, code: str) -> Response:
        """Enrol a participant. Events count from now on. An unknown participant is created.

        A participant who is enrolled already stays as they are, so a retry is safe. A challenge that is inactive or has ended
        accepts no enrolments.
        """
        participant_id = self.body(EnrolBody)["participant_id"]
        self.take_write(participant_id)
        status = services.enroll(tenant=self.tenant, participant_id=participant_id, code=code, now=self.now)
        return Response(render(EnrolledAnswer, {"participant_id": participant_id, **enrolment_answer(status)}))


class ParticipantChallengesViewSet(KeyViewSet):
    @operation("list_participant_challenges", answer=ParticipantChallengesAnswer, example=examples.STANDINGS)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """The participant's status in each challenge that they are enrolled in or can enrol in."""
        with reading(self.tenant) as tenant:
            statuses = enrolment_statuses(find_participant(tenant, participant_id), catalog_of(tenant), now=self.now)
        answer = {"participant_id": participant_id, "challenges": [enrolment_answer(each) for each in statuses]}
        return Response(render(ParticipantChallengesAnswer, answer))
