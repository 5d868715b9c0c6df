"""Care for participants (pauses, freezes, restores, amnesties), for keys with the admin scope."""

from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from participants.api.fields import DryRunQuery
from participants.api.pagination import Page
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.api.warnings import ignored_fields, with_warnings
from participants.engine import uuid_of
from participants.errors import InvalidInput, ParticipantNotFound
from participants.work import reading
from streaks import services
from streaks.api import examples
from streaks.api.care_serializers import (
    AmnestyAnswer,
    AmnestyBody,
    FreezeBody,
    ReasonBody,
    TouchedAmnesty,
    TouchedStreak,
)
from streaks.api.serializers import StreakEntry
from streaks.models import Amnesty, Status, Streak
from streaks.selectors.definitions import find_streak
from streaks.selectors.reach import reach_of
from streaks.services import (
    AmnestyNotFound,
    CareRequest,
    NothingToRestore,
    StreakIdNotFound,
    StreakInactive,
    StreakNotFound,
    StreakNotPaused,
    StreakNotStarted,
)

_switching = partial(operation, query=DryRunQuery, answer=TouchedStreak)


class StreakCareViewSet(AdminViewSet):
    @_switching("pause_streak", errors=[StreakIdNotFound(""), StreakInactive("daily_login")], example=examples.PAUSE)
    def pause(self, request: Request, definition_id: str) -> Response:
        """Pause a streak. Until it is resumed, ticks are refused, and no run breaks or is at risk.

        `touches` contains the number of affected participants. With `dry_run=true` nothing changes.
        """
        return self._switch(definition_id, services.pause)

    @_switching("resume_streak", errors=[StreakIdNotFound(""), StreakNotPaused("daily_login")], example=examples.RESUME)
    def resume(self, request: Request, definition_id: str) -> Response:
        """Resume a paused streak. Every period that the pause touched is excused, including the open one."""
        return self._switch(definition_id, services.resume)

    @_switching("archive_streak", errors=[StreakIdNotFound("")], example=examples.PAUSE)
    def archive(self, request: Request, definition_id: str) -> Response:
        """Archive a streak, as DELETE does, and answer how many participants that affects.

        An archived streak is not ticked, and participants do not see it. Their counts stay, and continue if the streak is
        activated again. With `dry_run=true` nothing changes.
        """
        return self._switch(definition_id, services.archive)

    def _switch(self, definition_id: str, switch: Any) -> Response:
        dry_run = self.query(DryRunQuery)["dry_run"]
        streak = self._streak(definition_id)
        touches = reach_of(self.tenant, [streak.pk], now=self.now)
        streak = switch(streak, tenant=self.tenant, now=self.now, dry_run=dry_run)
        return Response(TouchedStreak(streak, context={"touches": touches}).data)

    def _streak(self, definition_id: str) -> Streak:
        streak_id = uuid_of(definition_id)
        streak = None if streak_id is None else find_streak(self.tenant, streak_id)
        if streak is None:
            raise StreakIdNotFound(definition_id)
        return streak


_NO_RUN = [
    ParticipantNotFound("user_42"),
    StreakNotFound("daily_login"),
    StreakNotStarted("user_42", "daily_login"),
]


class ParticipantCareViewSet(AdminViewSet):
    @operation(
        "freeze_streak",
        body=FreezeBody,
        answer=StreakEntry,
        errors=[*_NO_RUN, InvalidInput("to", "Must not be before `from`.")],
        example=examples.FREEZE,
    )
    def freeze(self, request: Request, participant_id: str, code: str) -> Response:
        """Let one participant miss the periods that overlap a time span, which may be in the past.

        Dates are days of the streak, both included. `from` defaults to now. `to` defaults to the day of `from`, or to its
        period if `from` is an instant. Without `from` and `to` the span is the open period.
        """
        body = self.body(FreezeBody)
        frozen = services.freeze(
            tenant=self.tenant,
            request=CareRequest(participant_id, code, body["reason"]),
            begin=body.get("from"),
            end=body.get("to"),
            now=self.now,
        )
        return Response(render(StreakEntry, frozen))

    @operation(
        "restore_streak",
        body=ReasonBody,
        answer=StreakEntry,
        errors=[*_NO_RUN, NothingToRestore("daily_login")],
        example=examples.RESTORE,
    )
    def restore(self, request: Request, participant_id: str, code: str) -> Response:
        """Revive the last broken run, as if the periods missed since then were excused."""
        case = CareRequest(participant_id, code, self.body(ReasonBody)["reason"])
        return Response(render(StreakEntry, services.restore(tenant=self.tenant, request=case, now=self.now)))


class AmnestyViewSet(AdminViewSet, GenericViewSet[Amnesty]):
    serializer_class = AmnestyAnswer
    pagination_class = Page
    queryset = Amnesty.objects.none()

    def get_queryset(self) -> "QuerySet[Amnesty]":
        return Amnesty.objects.of(self.tenant)

    @operation("list_amnesties", answer=AmnestyAnswer(many=True), example=examples.LISTED_AMNESTY)
    def list(self, request: Request) -> Response:
        """The amnesties of your tenant, newest first, including those that were undone."""
        with reading(self.tenant):
            page = self.paginate_queryset(self.get_queryset())
            return self.get_paginated_response(AmnestyAnswer(page, many=True).data)

    @operation(
        "declare_amnesty",
        body=AmnestyBody,
        query=DryRunQuery,
        answer=TouchedAmnesty,
        status=status.HTTP_201_CREATED,
        errors=[InvalidInput("streak_codes", "Unknown streaks: daily_logins.")],
        example=examples.AMNESTY,
    )
    def create(self, request: Request) -> Response:
        """Excuse all participants on these dates, which may be in the past. Runs that broke on them are alive again.

        `touches` contains the number of affected participants. With `dry_run=true` nothing changes, and `id` is null.
        """
        dry_run = self.query(DryRunQuery)["dry_run"]
        amnesty = services.declare_amnesty(
            tenant=self.tenant, data=self.body(AmnestyBody), now=self.now, dry_run=dry_run
        )
        touches = reach_of(self.tenant, self._concerned(amnesty), now=self.now)
        answer = TouchedAmnesty(amnesty, context={"touches": touches}).data
        return Response(
            with_warnings(answer, ignored_fields(request.data, AmnestyBody())),
            status=200 if dry_run else status.HTTP_201_CREATED,
        )

    def _concerned(self, amnesty: Amnesty) -> Iterable[UUID]:
        rows = Streak.objects.of(self.tenant).exclude(status=Status.DRAFT)
        return [streak.pk for streak in rows if amnesty.concerns(streak.code)]

    @operation("get_amnesty", answer=AmnestyAnswer, errors=[AmnestyNotFound("")], example=examples.LISTED_AMNESTY)
    def retrieve(self, request: Request, amnesty_id: str) -> Response:
        """One amnesty, also if it was undone."""
        with reading(self.tenant):
            found = self.get_queryset().filter(pk=self._id(amnesty_id)).first()
        if found is None:
            raise AmnestyNotFound(amnesty_id)
        return Response(render(AmnestyAnswer, found))

    @operation("undo_amnesty", answer=AmnestyAnswer, errors=[AmnestyNotFound("")], example=examples.UNDONE_AMNESTY)
    def destroy(self, request: Request, amnesty_id: str) -> Response:
        """Undo an amnesty. Runs that are alive only because of it break."""
        undone = services.undo_amnesty(tenant=self.tenant, amnesty_id=self._id(amnesty_id), now=self.now)
        return Response(render(AmnestyAnswer, undone))

    def _id(self, amnesty_id: str) -> UUID:
        found = uuid_of(amnesty_id)
        if found is None:
            raise AmnestyNotFound(amnesty_id)
        return found
