"""Points endpoints for any active key."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.facts.services import Refused
from gamify.points import selectors, services
from gamify.points.api import examples
from gamify.points.api.serializers import (
    AwardedAnswer,
    BatchAnswer,
    BatchBody,
    CreditBody,
    DeductBody,
    DeductedAnswer,
    PointsAnswer,
    PointsQuery,
    Transaction,
    TransactionPage,
    change_of,
)
from gamify.points.engine import BalanceLimit, InsufficientPoints
from gamify.points.profile import summary
from gamify.points.services import AwardResult
from participants import limits
from participants.api.fields import PageQuery
from participants.api.idempotency import REPLAYED, agreed_key, header_key
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, render, writes_participant
from participants.errors import InvalidInput
from participants.selectors import find_participant
from participants.work import reading, snapshot


class PointsViewSet(KeyViewSet):
    @writes_participant
    @operation(
        "award_points",
        body=CreditBody,
        answer=AwardedAnswer,
        idempotent=True,
        errors=[BalanceLimit(), InvalidInput("expires_at", "Must be in the future."), PARTICIPANT_CAP],
        example=examples.AWARD,
    )
    def award(self, request: Request) -> Response:
        """Add points to a participant's balance. An unknown participant is created.

        Tiers and badges are evaluated at once; the answer contains the tier upgrade and the unlocked badges. If a tier, a
        reward or a boost multiplies the points, `amount` is the credited number, `base_amount` the requested number, and
        `multiplier` the factor. With `expires_at` or `expires_in_days`, points that are not spent by then expire. Points
        that expire are spent first.
        """
        body = self.body(CreditBody)
        change = change_of(body, now=self.now, idempotency_key=agreed_key(request, body.get("idempotency_key")))
        self.take_write(change.participant_id)
        awarded = services.award(tenant=self.tenant, change=change, now=self.now)
        return Response(render(AwardedAnswer, awarded), headers=REPLAYED if awarded.is_replay else None)

    @writes_participant
    @operation(
        "deduct_points",
        body=DeductBody,
        answer=DeductedAnswer,
        idempotent=True,
        errors=[InsufficientPoints(available=30, requested=50), PARTICIPANT_CAP],
        example=examples.DEDUCT,
    )
    def deduct(self, request: Request) -> Response:
        """Take points from a participant's balance. If the balance is too small, nothing is taken."""
        body = self.body(DeductBody)
        change = change_of(body, now=self.now, idempotency_key=agreed_key(request, body.get("idempotency_key")))
        self.take_write(change.participant_id)
        deducted = services.deduct(tenant=self.tenant, change=change, now=self.now)
        return Response(render(DeductedAnswer, deducted), headers=REPLAYED if deducted.is_replay else None)

    @operation(
        "award_points_in_batch",
        body=BatchBody,
        answer=BatchAnswer,
        idempotent=True,
        example=examples.BATCH,
    )
    def award_batch(self, request: Request) -> Response:
        """Award points to up to 100 participants.

        A malformed body is refused as a whole. Otherwise each item succeeds or fails on its own, and the status is 200.
        Results have the order of the awards. One participant may appear several times. The `idempotency_key` of an item works
        like that of a single award; the header is the key of the whole batch.
        """
        changes = [change_of(item, now=self.now) for item in self.body(BatchBody)["awards"]]
        key = header_key(request)
        refused = limits.take_participant_writes(self.tenant, [change.participant_id for change in changes])
        batch = services.award_batch(tenant=self.tenant, changes=changes, refused=refused, key=key, now=self.now)
        answer = {
            "processed": batch.processed,
            "failed": batch.failed,
            "results": [_result(result) for result in batch.results],
        }
        return Response(render(BatchAnswer, answer), headers=REPLAYED if batch.is_replay else None)


def _result(result: AwardResult | Refused) -> dict[str, Any]:
    if isinstance(result, Refused):
        error = {"error": result.error.message, "code": result.error.code}
        return {"participant_id": result.participant_id, "transaction_id": None, "new_balance": None, **error}
    return {
        "participant_id": result.participant_id,
        "transaction_id": result.transaction_id,
        "new_balance": result.new_balance,
        "error": None,
        "code": None,
    }


class ParticipantPointsViewSet(KeyViewSet):
    @operation(
        "get_points",
        query=PointsQuery,
        answer=PointsAnswer,
        errors=[InvalidInput("at", "Must not be in the future.")],
        example=examples.POINTS,
    )
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """The balance and the points earned and spent, now or at an instant in the past. All zero for an unknown participant."""
        at = self.query(PointsQuery).get("at")
        if at is not None and at > self.now:
            raise InvalidInput("at", "Must not be in the future.")
        with reading(self.tenant) if at is None else snapshot(self.tenant) as tenant:
            participant = find_participant(tenant, participant_id, now=self.now)
            totals = (
                selectors.totals_of(participant) if at is None else selectors.totals_at(participant, at, now=self.now)
            )
        answer = {"participant_id": participant_id, **summary(totals)}
        return Response(answer if at is None else render(PointsAnswer, answer | {"at": at}))

    @operation("list_transactions", query=PageQuery, answer=TransactionPage, example=examples.TRANSACTIONS)
    def transactions(self, request: Request, participant_id: str) -> Response:
        """Every change of the balance, newest first. Empty for an unknown participant."""
        query = self.query(PageQuery)
        with reading(self.tenant) as tenant:
            page = selectors.entries_page(find_participant(tenant, participant_id), **query)
        entries = Transaction(page.entries, many=True).data
        return Response({"participant_id": participant_id, "transactions": entries, "total": page.total, **query})
