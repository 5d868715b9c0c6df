"""Badge endpoints that any active key opens."""

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
from participants.api.views import KeyViewSet, rendered
from participants.catalog import catalog_of
from participants.selectors import find_participant
from participants.work import reading


class BadgesViewSet(KeyViewSet):
    @operation(
        "award_badge",
        body=AwardBody,
        answer=BadgeAwardedAnswer,
        errors=[BadgeNotFound("unknown_badge"), PARTICIPANT_CAP],
        example=examples.AWARD,
    )
    def award(self, request: Request) -> Response:
        """Give a badge to a participant. A participant never seen before is created.

        A badge is earned once: a repeat changes nothing and answers the first award, with `already_earned` true. So it
        needs no idempotency key, and ignores one.
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
        return Response(rendered(BadgeAwardedAnswer, awarded))


class ParticipantBadgesViewSet(KeyViewSet):
    @operation("list_badges", query=BadgeQuery, answer=BadgeList, example=examples.BADGES)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """The badges there are to earn, and whatever else the participant has earned.

        `progress` tells of those with criteria that are not earned how far the participant is. `total` and `earned_count` count all of them, whatever the filter. Nothing is earned by a participant never seen;
        codes that name no badge are not in the list.
        """
        query = self.query(BadgeQuery)
        with reading(self.tenant) as tenant:
            participant = find_participant(tenant, participant_id, now=self.now)
            standings = badge_statuses(participant, catalog_of(tenant))
            asked = _matching(standings, earned_only=query["earned_only"], codes=query.get("badge_codes"))
            asked = with_progress(asked, participant, tenant=tenant, now=self.now)
        counts = {"total": len(standings), "earned_count": len(only_earned(standings))}
        answer = {"participant_id": participant_id, "badges": [badge_body(standing) for standing in asked], **counts}
        return Response(rendered(BadgeList, answer))


def _matching(standings: Sequence[BadgeStatus], *, earned_only: bool, codes: Collection[str] | None) -> Sequence[Any]:
    if earned_only:
        standings = only_earned(standings)
    return [standing for standing in standings if codes is None or standing.badge.code in codes]
