"""Participant endpoints that any active key opens."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from participants import selectors
from participants.api.serializers import NewParticipant, ProfileChanges, StateQuery
from participants.api.views import KeyViewSet
from participants.models import Participant
from participants.profile import Subject, profile_of, state_of
from participants.services import participants as services
from participants.work import reading


class ParticipantViewSet(KeyViewSet):
    def create(self, request: Request) -> Response:
        changes = self.body(NewParticipant)
        external_id = changes.pop("participant_id")
        self.take_write(external_id)
        participant = services.register(tenant=self.tenant, external_id=external_id, changes=changes, now=self.now)
        return Response(self._profile(participant), status=status.HTTP_201_CREATED)

    def retrieve(self, request: Request, participant_id: str) -> Response:
        with reading(self.tenant) as tenant:
            return Response(self._profile(selectors.get_participant(tenant, participant_id)))

    def partial_update(self, request: Request, participant_id: str) -> Response:
        changes = self.body(ProfileChanges)
        self.take_write(participant_id)
        participant = services.update(tenant=self.tenant, external_id=participant_id, changes=changes, now=self.now)
        return Response(self._profile(participant))

    def state(self, request: Request, participant_id: str) -> Response:
        include = self.query(StateQuery)["include"]
        with reading(self.tenant) as tenant:
            participant = selectors.find_participant(tenant, participant_id)
            return Response(state_of(self._subject(participant_id, participant), include=include))

    def _profile(self, participant: Participant) -> dict[str, Any]:
        return profile_of(self._subject(participant.external_id, participant), participant)

    def _subject(self, external_id: str, participant: Participant | None) -> Subject:
        return Subject(self.tenant, external_id, participant, self.now)
