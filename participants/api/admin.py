"""Endpoints about participants that need the admin scope."""

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from participants.api import examples
from participants.api.filters import FilterBackend, ParticipantFilter
from participants.api.pagination import Page
from participants.api.schema import operation
from participants.api.serializers import Erasure, ErasureQuery, ListedParticipant, PersonalData
from participants.api.views import AdminViewSet
from participants.downloads import uncached
from participants.errors import ParticipantNotFound
from participants.models import Participant
from participants.services import participants as services
from participants.services.personal_export import export_personal_data, personal_tables
from participants.work import as_if_settled, reading


class AdminParticipantViewSet(AdminViewSet, GenericViewSet[Participant]):
    serializer_class = ListedParticipant
    pagination_class = Page
    filter_backends = [FilterBackend]
    filterset_class = ParticipantFilter
    queryset = Participant.objects.none()

    def get_queryset(self) -> "QuerySet[Participant]":
        return Participant.objects.of(self.tenant)

    @operation("list_participants", answer=ListedParticipant(many=True), example=examples.LISTED)
    def list(self, request: Request) -> Response:
        """List participants: search, filter and sort. Participants without a value in the sort field come last."""
        with reading(self.tenant):
            page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
            as_if_settled(page or (), now=self.now)
            return self.get_paginated_response(ListedParticipant(page, many=True).data)

    @operation(
        "delete_participant",
        query=ErasureQuery,
        answer=Erasure,
        errors=[ParticipantNotFound("user_123")],
        example=examples.ERASED,
    )
    def destroy(self, request: Request, participant_id: str) -> Response:
        """Delete a participant with all their data, or remove only the personal data.

        With `anonymize=true` the ledger and the counts stay. The id is replaced by a new one, which the answer contains. Name,
        avatar, attributes and metadata are cleared, and the participant becomes inactive.
        """
        if self.query(ErasureQuery)["anonymize"]:
            return self._anonymize(participant_id)
        services.delete(tenant=self.tenant, external_id=participant_id, now=self.now)
        return Response({"message": "Participant deleted", "participant_id": participant_id})

    @operation(
        "export_participant",
        answer=PersonalData,
        errors=[ParticipantNotFound("user_123")],
        example=examples.exported(personal_tables()),
    )
    def export(self, request: Request, participant_id: str) -> HttpResponseBase:
        """All data of one participant as one JSON object, which is streamed: the profile, and each table with rows of theirs.

        It contains what an erasure deletes or clears, reward codes too. The change log records who exported whose data. Rows are read
        while they are sent, so a section can contain what was written after the request began. If the participant is deleted or
        anonymized meanwhile, the connection ends before the JSON object is complete.
        """
        parts = export_personal_data(tenant=self.tenant, external_id=participant_id, now=self.now)
        return uncached(StreamingHttpResponse(parts, content_type="application/json"))

    def _anonymize(self, participant_id: str) -> Response:
        new_id = services.anonymize(tenant=self.tenant, external_id=participant_id, now=self.now)
        return Response({"message": "Participant anonymized", "participant_id": new_id})
