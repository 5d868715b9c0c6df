"""Streak endpoints for every active key."""

from rest_framework.request import Request
from rest_framework.response import Response

from participants.api.idempotency import REPLAYED, agreed_key
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, render, writes_participant
from participants.catalog import catalog_of
from participants.errors import InvalidInput
from participants.selectors import find_participant
from participants.work import reading
from streaks import services
from streaks.api import examples
from streaks.api.serializers import (
    CalendarAnswer,
    CalendarQuery,
    RecordBody,
    RecordedAnswer,
    StreakEntry,
    StreaksAnswer,
)
from streaks.selectors import statuses_of
from streaks.selectors.calendar import calendar_of
from streaks.services import StreakInactive, StreakNeedsEvents, StreakNotFound, visible_streak


class StreakViewSet(KeyViewSet):
    @writes_participant
    @operation(
        "record_streak",
        body=RecordBody,
        answer=RecordedAnswer,
        idempotent=True,
        errors=[
            StreakNotFound("daily_login"),
            StreakInactive("daily_login"),
            StreakNeedsEvents("daily_points"),
            PARTICIPANT_CAP,
        ],
        example=examples.RECORD,
    )
    def record(self, request: Request) -> Response:
        """Record a tick of a streak. A second tick in a satisfied period changes nothing, so no idempotency key is needed.

        A late tick counts for its own period. It can join two runs or revive a broken one. Ticks may arrive in any order.
        """
        body = self.body(RecordBody)
        self.take_write(body["participant_id"])
        recorded = services.record(
            tenant=self.tenant,
            participant_id=body["participant_id"],
            streak_code=body["streak_code"],
            at=body.get("timestamp") or self.now,
            key=agreed_key(request, body.get("idempotency_key")),
            now=self.now,
        )
        return Response(render(RecordedAnswer, recorded), headers=REPLAYED if recorded.is_replay else None)


class ParticipantStreaksViewSet(KeyViewSet):
    @operation("list_streaks", answer=StreaksAnswer, example=examples.STREAKS)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """The participant's status in every active streak that they have ticked."""
        with reading(self.tenant) as tenant:
            participant = find_participant(tenant, participant_id)
            statuses = statuses_of(participant, catalog_of(tenant), now=self.now)
        return Response(
            {"participant_id": participant_id, "streaks": [render(StreakEntry, status) for status in statuses]}
        )

    @operation(
        "get_streak_calendar",
        query=CalendarQuery,
        answer=CalendarAnswer,
        errors=[StreakNotFound("daily_login"), InvalidInput("to", "At most 400 windows can be asked for at once.")],
        example=examples.CALENDAR,
    )
    def calendar(self, request: Request, participant_id: str, code: str) -> Response:
        """The periods between two dates, oldest first: satisfied, excused, or missed within grace.

        `count` is the length of the run at the end of the period. Without `from` and `to` the answer has the latest periods.
        """
        query = self.query(CalendarQuery)
        with reading(self.tenant) as tenant:
            streak = visible_streak(catalog_of(tenant), code)
            participant = find_participant(tenant, participant_id)
            calendar = calendar_of(participant, streak, first=query.get("from"), last=query.get("to"), now=self.now)
        return Response(render(CalendarAnswer, {"participant_id": participant_id, "calendar": calendar}))
