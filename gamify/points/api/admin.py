"""Points endpoints for keys with the admin scope: reversals and boosts."""

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.points import services
from gamify.points.api import examples
from gamify.points.api.serializers import BoostAnswer, EntryReversalBody, ReversedEntry
from gamify.points.definitions import BoostChanges, NewBoost
from gamify.points.engine import InsufficientPoints
from gamify.points.models import Boost
from gamify.points.services import AlreadyReversed, BoostNotFound, NotReversible, TransactionNotFound
from participants.api.definitions import DefinitionViewSet, document_endpoints
from participants.api.fields import DryRunQuery
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.errors import InvalidInput


class TransactionsViewSet(AdminViewSet):
    @operation(
        "reverse_transaction",
        query=DryRunQuery,
        body=EntryReversalBody,
        answer=ReversedEntry,
        errors=[
            TransactionNotFound(examples.TRANSACTION_ID),
            AlreadyReversed(),
            NotReversible("An entry of type 'expire' cannot be reversed"),
            InsufficientPoints(available=30, requested=100),
            InvalidInput("reason", "Ensure this field has no more than 500 characters."),
        ],
        example=examples.REVERSED,
    )
    def reverse(self, request: Request, transaction_id: str) -> Response:
        """Undo an award, a deduction, an adjustment or a claim by a new entry. Each entry can be undone once.

        An award is taken back completely or refused; the tier stays. Deducted points return to the credits that they were
        taken from. Points of a credit that has expired since become permanent. With `dry_run=true` nothing is written.
        """
        dry_run = self.query(DryRunQuery)["dry_run"]
        reason = self.body(EntryReversalBody).get("reason")
        undone = services.reverse(
            tenant=self.tenant, transaction_id=transaction_id, reason=reason, now=self.now, is_dry_run=dry_run
        )
        return Response(render(ReversedEntry, undone))


@document_endpoints(created=examples.BOOST)
class AdminBoostViewSet(DefinitionViewSet):
    noun, model, serializer_class = "boost", Boost, BoostAnswer
    create_body, update_body, not_found = NewBoost, BoostChanges, BoostNotFound
