"""The admin gateway: streak definitions, for keys with the admin scope and for platforms."""

from typing import Any

from django.db import transaction
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from participants.api.phoenix import PhoenixAdminViewSet
from participants.api.schema import operation
from participants.api.views import render
from participants.api.warnings import Warnings, ignored_fields, with_warnings
from participants.errors import InvalidInput, NotFound
from participants.models.tenants import Environment
from participants.work import reading
from streaks import services
from streaks.api.phoenix import examples
from streaks.api.phoenix.query import MalformedDefinitionId, definition_uuid
from streaks.api.phoenix.serializers import (
    NewPhoenixStreak,
    PhoenixStreakChanges,
    StatusBody,
    StreakRecord,
    StreakRecords,
    model_fields,
)
from streaks.models import Status, Streak
from streaks.selectors.definitions import (
    StreakWithTenant,
    find_streak,
    streak_definitions,
    streak_definitions_of_all_tenants,
)
from streaks.services import StreakNameConflict


class StreakDefinitionNotFound(NotFound):
    code = "streak_not_found"
    noun = "Streak definition"


_UNKNOWN = StreakDefinitionNotFound(examples.DEFINITION_ID)
_MALFORMED = MalformedDefinitionId()
_TAKEN = StreakNameConflict("Daily Login Streak")
_INVALID = InvalidInput("config.event_types", "cannot be empty")


class StreakDefinitionsViewSet(PhoenixAdminViewSet):
    @operation("list_tenant_streaks", answer=StreakRecords, example=examples.RECORDS)
    def list_own(self, request: Request, tenant_id: str) -> Response:
        """The tenant's streak definitions, with every status, in the order of their creation."""
        with reading(self.tenant) as tenant:
            return Response(render(StreakRecords, {"definitions": streak_definitions(tenant)}))

    @operation("list_all_streaks", answer=StreakRecords, example=examples.RECORDS)
    def list_all(self, request: Request) -> Response:
        """A platform key gets the streak definitions of all active tenants. Another admin key gets those of its own tenant."""
        if not self.is_platform:
            return self.list_own(request, tenant_id=self.tenant.slug)
        found = streak_definitions_of_all_tenants(Environment(self.tenant.environment))
        return Response(render(StreakRecords, {"definitions": found}))

    @operation(
        "create_tenant_streak",
        body=NewPhoenixStreak,
        answer=StreakRecord,
        status=status.HTTP_201_CREATED,
        errors=[_INVALID, _TAKEN],
        example=examples.CREATE,
    )
    def create(self, request: Request, tenant_id: str) -> Response:
        """Create a streak. It is active immediately. Its code in the Gamify dialect is made from its name."""
        fields = model_fields(self.body(NewPhoenixStreak), tenant=self.tenant)
        row = services.create_named_streak(tenant=self.tenant, data=fields, now=self.now)
        warnings = ignored_fields(request.data, NewPhoenixStreak())
        return self.answer(row, warnings=warnings, status=status.HTTP_201_CREATED)

    @operation("get_tenant_streak", answer=StreakRecord, errors=[_UNKNOWN, _MALFORMED], example=examples.RECORD)
    def retrieve(self, request: Request, tenant_id: str, definition_id: str) -> Response:
        """One streak definition, with any status."""
        with reading(self.tenant):
            return self.answer(self.definition(definition_id))

    @operation(
        "update_tenant_streak",
        body=PhoenixStreakChanges,
        answer=StreakRecord,
        errors=[_UNKNOWN, _MALFORMED, _INVALID, _TAKEN],
        example=examples.UPDATE,
    )
    def partial_update(self, request: Request, tenant_id: str, definition_id: str) -> Response:
        """Change a streak definition. Fields that are left out do not change. `config` is replaced as a whole.

        Users keep their counts. The new configuration applies from now on.
        """
        with transaction.atomic():  # the row must not change between the validation of the body and the write
            row = self.definition(definition_id, lock=True)
            warnings = ignored_fields(request.data, PhoenixStreakChanges(), current=lambda: self.record(row))
            changes = model_fields(self.body(PhoenixStreakChanges), tenant=self.tenant, row=row)
            row = services.update_named_streak(row, tenant=self.tenant, changes=changes, now=self.now)
        return self.answer(row, warnings=warnings)

    @operation(
        "set_tenant_streak_status",
        body=StatusBody,
        answer=StreakRecord,
        errors=[_UNKNOWN, _MALFORMED, InvalidInput("status", "must be active, paused or archived"), _TAKEN],
        example=examples.PAUSE,
    )
    def set_status(self, request: Request, tenant_id: str, definition_id: str) -> Response:
        """Activate, pause or archive a streak. While it is not active, nothing ticks and nothing breaks.

        An archived streak can be activated again, unless another streak has taken its name.
        """
        row = self.definition(definition_id)
        warnings = ignored_fields(request.data, StatusBody(), current=lambda: self.record(row))
        changes = self.body(StatusBody)
        row = services.update_named_streak(row, tenant=self.tenant, changes=changes, now=self.now)
        return self.answer(row, warnings=warnings)

    @operation("archive_tenant_streak", answer=StreakRecord, errors=[_UNKNOWN, _MALFORMED], example=examples.ARCHIVED)
    def destroy(self, request: Request, tenant_id: str, definition_id: str) -> Response:
        """Archive a streak. The data of users stays, and its name becomes free."""
        row = self.definition(definition_id)
        return self.answer(services.set_status(row, tenant=self.tenant, status=Status.ARCHIVED, now=self.now))

    def definition(self, definition_id: str, *, lock: bool = False) -> Streak:
        """The tenant's definition with this id.

        Raises: MalformedDefinitionId, StreakDefinitionNotFound (also for another tenant's definition).
        """
        row = find_streak(self.tenant, definition_uuid(definition_id), lock=lock)
        if row is None:
            raise StreakDefinitionNotFound(definition_id)
        return row

    def answer(self, row: Streak, *, warnings: Warnings = (), **response: Any) -> Response:
        return Response(with_warnings(self.record(row), warnings), **response)

    def record(self, row: Streak) -> dict[str, Any]:
        return render(StreakRecord, StreakWithTenant(row, self.tenant))
