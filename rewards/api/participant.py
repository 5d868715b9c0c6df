"""Reward endpoints for keys of any scope."""

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.points.engine import InsufficientPoints
from participants.api.fields import PageQuery
from participants.api.idempotency import REPLAYED, agreed_key
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, render, writes_participant
from participants.selectors import find_participant
from participants.work import reading
from rewards import selectors, services
from rewards.api import examples
from rewards.api.serializers import ClaimBody, ClaimedAnswer, ClaimEntry, ClaimList, RewardList, RewardQuery
from rewards.engine.offers import MaxClaimsExceeded, NoCodesAvailable, OutOfStock, RewardUnavailable, TierTooLow
from rewards.services import RewardNotFound


class RewardsViewSet(KeyViewSet):
    @operation("list_rewards", query=RewardQuery, answer=RewardList, example=examples.REWARDS)
    def available(self, request: Request) -> Response:
        """The rewards that can be claimed now: active, and within their dates."""
        query = self.query(RewardQuery)
        with reading(self.tenant) as tenant:
            page = selectors.open_rewards(tenant, now=self.now, **query)
        return Response(render(RewardList, page))

    @writes_participant
    @operation(
        "claim_reward",
        body=ClaimBody,
        answer=ClaimedAnswer,
        idempotent=True,
        errors=[
            RewardNotFound(examples.REWARD_ID),
            RewardUnavailable(),
            TierTooLow(required=3),
            MaxClaimsExceeded(),
            OutOfStock(),
            NoCodesAvailable(),
            InsufficientPoints(available=30, requested=50),
            PARTICIPANT_CAP,
        ],
        example=examples.CLAIM,
    )
    def claim(self, request: Request, reward_id: str) -> Response:
        """Claim a reward for a participant, who is created if unknown. A code is never handed out twice, and points are deducted in the same
        transaction.
        """
        body = self.body(ClaimBody)
        key = agreed_key(request, body.get("idempotency_key"))
        self.take_write(body["participant_id"])
        claimed = services.claim(
            tenant=self.tenant,
            reward_id=reward_id,
            participant_id=body["participant_id"],
            deducts_points=body["points_deduction"],
            key=key,
            now=self.now,
        )
        return Response(render(ClaimedAnswer, claimed), headers=REPLAYED if claimed.is_replay else None)


class ParticipantRewardsViewSet(KeyViewSet):
    @operation("list_claims", query=PageQuery, answer=ClaimList, example=examples.CLAIMS)
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """The participant's claims, also of granted rewards, newest first. Empty for an unknown participant."""
        query = self.query(PageQuery)
        with reading(self.tenant) as tenant:
            page = selectors.claims_page(find_participant(tenant, participant_id), **query)
        rewards = ClaimEntry(page.claims, many=True).data
        return Response({"participant_id": participant_id, "rewards": rewards, "total": page.total, **query})
