"""Endpoints about participants that accept any active key."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from participants import selectors
from participants.api import examples
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.serializers import NewParticipant, Profile, ProfileChanges, State, StateQuery
from participants.api.views import KeyViewSet, writes_participant
from participants.errors import InvalidInput, ParticipantNotFound
from participants.models import Participant
from participants.profile import Subject, profile_of, read_subject, state_of
from participants.services import participants as services
from participants.work import reading


class ParticipantViewSet(KeyViewSet):
    @writes_participant
    @operation(
        "register_participant",
        body=NewParticipant,
        answer=Profile,
        status=status.HTTP_201_CREATED,
        errors=[PARTICIPANT_CAP],
        example=examples.REGISTER,
    )
    def create(self, request: Request) -> Response:
        """Register a participant, or change an existing one. The answer is 201 in both cases.

        Fields that are sent replace the stored values; others stay. Registering is optional: the first successful write
        for a participant also creates them.
        """
        changes = self.body(NewParticipant)
        external_id = changes.pop("participant_id")
        self.take_write(external_id)
        participant = services.register(tenant=self.tenant, external_id=external_id, changes=changes, now=self.now)
        return Response(self._profile(participant), status=status.HTTP_201_CREATED)

    @operation("get_profile", answer=Profile, errors=[ParticipantNotFound("user_123")], example=examples.PROFILE)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """Get everything about one participant: points, tier, earned badges, best streak, counts."""
        with reading(self.tenant) as tenant:
            return Response(self._profile(selectors.get_participant(tenant, participant_id, now=self.now)))

    @writes_participant
    @operation(
        "update_profile",
        body=ProfileChanges,
        answer=Profile,
        errors=[ParticipantNotFound("user_123"), PARTICIPANT_CAP],
        example=examples.UPDATE,
    )
    def partial_update(self, request: Request, participant_id: str) -> Response:
        """Change profile data. Fields that are sent replace the stored values.

        `attributes` are merged key by key instead; null removes a key (RFC 7396).
        """
        changes = self.body(ProfileChanges)
        self.take_write(participant_id)
        participant = services.update(tenant=self.tenant, external_id=participant_id, changes=changes, now=self.now)
        return Response(self._profile(participant))

    @operation(
        "get_state",
        query=StateQuery,
        answer=State,
        errors=[InvalidInput("include", "Unknown sections: friends.")],
        example=examples.STATE,
    )
    def state(self, request: Request, participant_id: str) -> Response:
        """Get only the requested sections. For an unknown participant the sections are empty."""
        include = self.query(StateQuery)["include"]
        with reading(self.tenant) as tenant:
            subject = read_subject(tenant, participant_id, include=include, now=self.now)
            return Response(state_of(subject, include=include))

    def _profile(self, participant: Participant) -> dict[str, Any]:
        return profile_of(self._subject(participant.external_id, participant), participant)

    def _subject(self, external_id: str, participant: Participant | None) -> Subject:
        return Subject(self.tenant, external_id, participant, self.now)
