"""What ops do so that nobody loses a streak unfairly, for keys with the admin scope."""

from collections.abc import Iterable
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
from participants.api.views import AdminViewSet, rendered
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


class StreakCareViewSet(AdminViewSet):
    @operation(
        "pause_streak",
        query=DryRunQuery,
        answer=TouchedStreak,
        errors=[StreakIdNotFound(""), StreakInactive("daily_login")],
        example=examples.PAUSE,
    )
    def pause(self, request: Request, definition_id: str) -> Response:
        """Freeze a streak: ticks are refused, and nobody's run breaks or is at risk, until it is resumed.

        `touches` tells whom that concerns; with `dry_run=true` it is all that happens.
        """
        return self._switch(definition_id, services.pause)

    @operation(
        "resume_streak",
        query=DryRunQuery,
        answer=TouchedStreak,
        errors=[StreakIdNotFound(""), StreakNotPaused("daily_login")],
        example=examples.RESUME,
    )
    def resume(self, request: Request, definition_id: str) -> Response:
        """Let a paused streak go on: every period that the pause met is excused, the one that is open now among them."""
        return self._switch(definition_id, services.resume)

    @operation(
        "archive_streak",
        query=DryRunQuery,
        answer=TouchedStreak,
        errors=[StreakIdNotFound("")],
        example=examples.PAUSE,
    )
    def archive(self, request: Request, definition_id: str) -> Response:
        """Take a streak out of use, as DELETE does, and tell whom that concerns: nothing ticks, and participants do not see it.

        What they have is kept, and goes on if the streak is activated again. With `dry_run=true` nothing happens.
        """
        return self._switch(definition_id, services.archive)

    def _switch(self, definition_id: str, switch: Any) -> Response:
        dry_run = self.query(DryRunQuery)["dry_run"]
        streak = self._streak(definition_id)
        touches = reach_of(self.tenant, [streak.pk], now=self.now)
        streak = switch(streak, tenant=self.tenant, now=self.now, dry_run=dry_run)
        return Response(TouchedStreak(streak, context={"touches": touches}).data)

    def _streak(self, definition_id: str) -> Streak:
        found = uuid_of(definition_id)
        streak = None if found is None else Streak.objects.of(self.tenant).filter(pk=found).first()
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
        """Excuse one participant: the periods that meet the span can be missed, also in the past.

        Dates are days of the streak, both included; instants are instants. Without `from` it begins now, without `to` it is
        the day of `from`, or its period; without either it is the period that is open.
        """
        body = self.body(FreezeBody)
        told = services.freeze(
            tenant=self.tenant,
            case=CareRequest(participant_id, code, body["reason"]),
            begin=body.get("from"),
            end=body.get("to"),
            now=self.now,
        )
        return Response(rendered(StreakEntry, told))

    @operation(
        "restore_streak",
        body=ReasonBody,
        answer=StreakEntry,
        errors=[*_NO_RUN, NothingToRestore("daily_login")],
        example=examples.RESTORE,
    )
    def restore(self, request: Request, participant_id: str, code: str) -> Response:
        """Let the last run that broke live on, as if the periods missed since were excused."""
        case = CareRequest(participant_id, code, self.body(ReasonBody)["reason"])
        return Response(rendered(StreakEntry, services.restore(tenant=self.tenant, case=case, now=self.now)))


class AmnestyViewSet(AdminViewSet, GenericViewSet[Amnesty]):
    serializer_class = AmnestyAnswer
    pagination_class = Page
    queryset = Amnesty.objects.none()

    def get_queryset(self) -> "QuerySet[Amnesty]":
        return Amnesty.objects.of(self.tenant)

    @operation("list_amnesties", answer=AmnestyAnswer(many=True), example=examples.LISTED_AMNESTY)
    def list(self, request: Request) -> Response:
        """The amnesties of your tenant, newest first; those that were undone too."""
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
        """Excuse everyone on these dates, also in the past: what broke on them lives again.

        `touches` tells whom that concerns; with `dry_run=true` it is all that happens, and `id` is null.
        """
        dry_run, body = self.query(DryRunQuery)["dry_run"], self.body(AmnestyBody)
        amnesty = services.declare_amnesty(
            tenant=self.tenant,
            name=body["name"],
            first=body["from"],
            last=body["to"],
            timezone=body.get("timezone") or self.tenant.timezone,
            streak_codes=body.get("streak_codes"),
            reason=body["reason"],
            now=self.now,
            dry_run=dry_run,
        )
        touches = reach_of(self.tenant, self._concerned(amnesty), now=self.now)
        told = TouchedAmnesty(amnesty, context={"touches": touches}).data
        return Response(
            with_warnings(told, ignored_fields(request.data, AmnestyBody())),
            status=200 if dry_run else status.HTTP_201_CREATED,
        )

    def _concerned(self, amnesty: Amnesty) -> Iterable[UUID]:
        rows = Streak.objects.of(self.tenant).exclude(status=Status.DRAFT)
        return [streak.pk for streak in rows if amnesty.concerns(streak.code)]

    @operation("get_amnesty", answer=AmnestyAnswer, errors=[AmnestyNotFound("")], example=examples.LISTED_AMNESTY)
    def retrieve(self, request: Request, amnesty_id: str) -> Response:
        """One amnesty, undone or not."""
        with reading(self.tenant):
            found = self.get_queryset().filter(pk=self._id(amnesty_id)).first()
        if found is None:
            raise AmnestyNotFound(amnesty_id)
        return Response(rendered(AmnestyAnswer, found))

    @operation("undo_amnesty", answer=AmnestyAnswer, errors=[AmnestyNotFound("")], example=examples.UNDONE_AMNESTY)
    def destroy(self, request: Request, amnesty_id: str) -> Response:
        """Take an amnesty back: what lives by it alone breaks."""
        undone = services.undo_amnesty(tenant=self.tenant, amnesty_id=self._id(amnesty_id), now=self.now)
        return Response(rendered(AmnestyAnswer, undone))

    def _id(self, amnesty_id: str) -> UUID:
        found = uuid_of(amnesty_id)
        if found is None:
            raise AmnestyNotFound(amnesty_id)
        return found
