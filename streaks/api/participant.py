"""Streak endpoints that any active key opens."""

from rest_framework.request import Request
from rest_framework.response import Response

from participants.api.idempotency import REPLAYED, agreed_key
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, rendered
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
        """Tick a streak. A second tick in the same period changes nothing and says so: no key is needed.

        Late ticks fill their own period, whatever order they come in, and can join two runs or bring a broken one back.
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
        return Response(rendered(RecordedAnswer, recorded), headers=REPLAYED if recorded.is_replay else None)


class ParticipantStreaksViewSet(KeyViewSet):
    @operation("list_streaks", answer=StreaksAnswer, example=examples.STREAKS)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """Where the participant stands in every active streak they have touched."""
        with reading(self.tenant) as tenant:
            participant = find_participant(tenant, participant_id)
            statuses = statuses_of(participant, catalog_of(tenant), now=self.now)
        return Response(
            {"participant_id": participant_id, "streaks": [rendered(StreakEntry, status) for status in statuses]}
        )

    @operation(
        "get_streak_calendar",
        query=CalendarQuery,
        answer=CalendarAnswer,
        errors=[StreakNotFound("daily_login"), InvalidInput("to", "At most 400 windows can be asked for at once.")],
        example=examples.CALENDAR,
    )
    def calendar(self, request: Request, participant_id: str, code: str) -> Response:
        """The periods from one date to another, oldest first: which are satisfied, which are excused, which took grace.

        `count` is the length that the run had come to by the end of the period. Without `from` and `to`: the latest.
        """
        query = self.query(CalendarQuery)
        with reading(self.tenant) as tenant:
            streak = visible_streak(catalog_of(tenant), code)
            participant = find_participant(tenant, participant_id)
            calendar = calendar_of(participant, streak, first=query.get("from"), last=query.get("to"), now=self.now)
        return Response(rendered(CalendarAnswer, {"participant_id": participant_id, "calendar": calendar}))
