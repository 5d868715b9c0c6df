"""The query gateway: active definitions, and the progress of users. For every key, and for partners who sign requests."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from participants.api.phoenix import PhoenixQueryViewSet
from participants.api.schema import operation
from participants.api.views import render
from participants.catalog import catalog_of
from participants.engine import uuid_of
from participants.errors import DomainError, InvalidInput
from participants.selectors import find_participant
from participants.work import reading
from streaks.api.phoenix import examples
from streaks.api.phoenix.serializers import StreakProgressAnswer, StreakProgressList, StreakRecords
from streaks.selectors.definitions import active_streaks
from streaks.selectors.progress import StreakProgress
from streaks.selectors.statuses import visible_status_of, visible_statuses_of


class MalformedDefinitionId(InvalidInput):
    def __init__(self) -> None:
        super().__init__("definition_id", "Must be a UUID.")


def definition_uuid(definition_id: str) -> UUID:
    """The id of a definition as a UUID.

    Raises: MalformedDefinitionId.
    """
    found = uuid_of(definition_id)
    if found is None:
        raise MalformedDefinitionId
    return found


class StreakOfUserNotFound(DomainError):
    code = "streak_not_found"
    status = 404
    text = "Streak not found for user '{}' and definition '{}'"


_ERRORS = [StreakOfUserNotFound("user-12345", examples.DEFINITION_ID), MalformedDefinitionId()]


class StreakQueryViewSet(PhoenixQueryViewSet):
    @operation("list_active_streaks", answer=StreakRecords, example=examples.RECORDS)
    def definitions(self, request: Request, tenant_id: str) -> Response:
        """The active streak definitions, in display order."""
        with reading(self.tenant) as tenant:
            return Response(render(StreakRecords, {"definitions": active_streaks(catalog_of(tenant), tenant)}))

    @operation("list_user_streaks", answer=StreakProgressList, example=examples.PROGRESS_LIST)
    def of_user(self, request: Request, tenant_id: str, user_id: str) -> Response:
        """The user's progress in every active or paused streak that they have ticked. Empty for an unknown user."""
        with reading(self.tenant) as tenant:
            participant = find_participant(tenant, user_id)
            statuses = visible_statuses_of(participant, catalog_of(tenant), now=self.now)
            found = [StreakProgress(status, tenant, self.now) for status in statuses]
            return Response(render(StreakProgressList, {"streaks": found}))

    @operation("get_user_streak", answer=StreakProgressAnswer, errors=_ERRORS, example=examples.PROGRESS)
    def of_user_in(self, request: Request, tenant_id: str, user_id: str, definition_id: str) -> Response:
        """The user's progress in one streak."""
        with reading(self.tenant) as tenant:
            streak_id = definition_uuid(definition_id)
            participant = find_participant(tenant, user_id)
            status = visible_status_of(participant, streak_id, catalog_of(tenant), now=self.now)
            if status is None:
                raise StreakOfUserNotFound(user_id, definition_id)
            return Response(render(StreakProgressAnswer, StreakProgress(status, tenant, self.now)))

    @operation("get_user_streak_by_definition", answer=StreakProgressAnswer, errors=_ERRORS, example=examples.PROGRESS)
    def of_user_in_definition(self, request: Request, tenant_id: str, user_id: str, definition_id: str) -> Response:
        """The user's progress in one streak. Clients use both this path and the shorter one."""
        return self.of_user_in(request, tenant_id, user_id, definition_id)
