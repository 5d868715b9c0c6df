"""Badge endpoints for any active API key."""

from collections.abc import Collection, Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.badges import services
from gamify.badges.api import examples
from gamify.badges.api.serializers import AwardBody, BadgeAwardedAnswer, BadgeList, BadgeQuery
from gamify.badges.profile import badge_body
from gamify.badges.selectors import BadgeStatus, badge_statuses, only_earned, with_progress
from gamify.badges.services import BadgeNotFound
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, render, writes_participant
from participants.catalog import catalog_of
from participants.selectors import find_participant
from participants.work import reading


class BadgesViewSet(KeyViewSet):
    @writes_participant
    @operation(
        "award_badge",
        body=AwardBody,
        answer=BadgeAwardedAnswer,
        errors=[BadgeNotFound("unknown_badge"), PARTICIPANT_CAP],
        example=examples.AWARD,
    )
    def award(self, request: Request) -> Response:
        """Award a badge to a participant. An unknown participant is created.

        A badge is earned once. A repeated call changes nothing and returns the first award, with `already_earned` true.
        Therefore the call needs no idempotency key, and ignores one.
        """
        body = self.body(AwardBody)
        self.take_write(body["participant_id"])
        awarded = services.award(
            tenant=self.tenant,
            participant_id=body["participant_id"],
            badge_code=body["badge_code"],
            metadata=body.get("metadata") or {},
            now=self.now,
        )
        return Response(render(BadgeAwardedAnswer, awarded))


class ParticipantBadgesViewSet(KeyViewSet):
    @operation("list_badges", query=BadgeQuery, answer=BadgeList, example=examples.BADGES)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """All active badges, and inactive badges that the participant has earned.

        Badges with criteria that are not earned show `progress`. `total` and `earned_count` count all badges, whatever the
        filter. An unknown participant has earned nothing. Codes that name no badge are not in the list.
        """
        query = self.query(BadgeQuery)
        with reading(self.tenant) as tenant:
            participant = find_participant(tenant, participant_id, now=self.now)
            statuses = badge_statuses(participant, catalog_of(tenant))
            shown = _matching(statuses, earned_only=query["earned_only"], codes=query.get("badge_codes"))
            shown = with_progress(shown, participant, tenant=tenant, now=self.now)
        counts = {"total": len(statuses), "earned_count": len(only_earned(statuses))}
        answer = {"participant_id": participant_id, "badges": [badge_body(status) for status in shown], **counts}
        return Response(render(BadgeList, answer))


def _matching(statuses: Sequence[BadgeStatus], *, earned_only: bool, codes: Collection[str] | None) -> Sequence[Any]:
    if earned_only:
        statuses = only_earned(statuses)
    return [status for status in statuses if codes is None or status.badge.code in codes]
