"""Reward definitions, their codes and claims, for keys with the admin scope."""

from collections.abc import Callable, Mapping
from typing import Any

import django_filters
from rest_framework.request import Request
from rest_framework.response import Response

from participants.api.definitions import DefinitionFilter, DefinitionViewSet, document_endpoints
from participants.api.parsers import StrictJSONParser
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.errors import InvalidInput
from participants.models import Definition
from rewards import services
from rewards.api import examples
from rewards.api.parsers import CodesCSVParser
from rewards.api.serializers import ClaimReasonBody, ClosedClaim, CodesAnswer, CodesBody, RewardAnswer
from rewards.definitions import NewReward, RewardChanges
from rewards.models import Reward, RewardType
from rewards.services import AlreadyCancelled, ClaimNotFound, ClaimNotOpen, RewardNotFound

LONG_REASON = InvalidInput("reason", "Ensure this field has no more than 500 characters.")


class RewardFilter(DefinitionFilter):
    reward_type = django_filters.ChoiceFilter(choices=RewardType.choices, label="Only rewards of this type.")


@document_endpoints(created=examples.CREATED)
class AdminRewardViewSet(DefinitionViewSet):
    noun, model, serializer_class = services.NOUN, Reward, RewardAnswer
    create_body, update_body, not_found = NewReward, RewardChanges, RewardNotFound
    filterset_class = RewardFilter

    def perform_create(self, data: Mapping[str, Any]) -> Reward:
        return services.create_reward(tenant=self.tenant, data=data, now=self.now)

    def perform_change(self, definition_id: str, changes: Callable[[Any], Mapping[str, Any]]) -> Reward:
        return services.change_reward(tenant=self.tenant, reward_id=definition_id, changes=changes, now=self.now)

    def perform_update(self, row: Definition, changes: Mapping[str, Any]) -> Reward:
        return self.perform_change(str(row.pk), lambda locked: changes)


class RewardCodesViewSet(AdminViewSet):
    parser_classes = [StrictJSONParser, CodesCSVParser]

    @operation(
        "add_reward_codes",
        body=CodesBody,
        csv=examples.CODES_CSV,
        answer=CodesAnswer,
        status=201,
        errors=[
            RewardNotFound(examples.REWARD_ID),
            InvalidInput("codes", "Ensure this field has no more than 10000 elements."),
        ],
        example=examples.CODES,
    )
    def create(self, request: Request, definition_id: str) -> Response:
        """Add up to 10,000 codes to the stock of a reward, as JSON or as CSV. Duplicates are ignored and listed in the answer.

        CSV has one code per line, in UTF-8. A first line `code` is a header; blank lines are ignored. One invalid line refuses all codes; the
        error names its number. A text in which every line contains a comma, a semicolon or a tab is refused, and so is a line `sep=,`. Codes
        must not contain control characters or invisible characters (Unicode category Cf).
        """
        body = self.body(CodesBody)
        added = services.add_codes(tenant=self.tenant, reward_id=definition_id, codes=body["codes"], now=self.now)
        return Response(render(CodesAnswer, added), status=201)


class ClaimsViewSet(AdminViewSet):
    @operation(
        "cancel_claim",
        body=ClaimReasonBody,
        answer=ClosedClaim,
        errors=[ClaimNotFound(examples.CLAIM_ID), AlreadyCancelled(), LONG_REASON],
        example=examples.CANCELLED,
    )
    def cancel(self, request: Request, claim_id: str) -> Response:
        """Cancel a claim, once: its points and its piece of the inventory are returned. A code that was handed out is not."""
        reason = self.body(ClaimReasonBody).get("reason")
        claim = services.cancel(tenant=self.tenant, claim_id=claim_id, reason=reason, now=self.now)
        return Response(render(ClosedClaim, claim))

    @operation(
        "fulfil_claim",
        body=ClaimReasonBody,
        answer=ClosedClaim,
        errors=[ClaimNotFound(examples.CLAIM_ID), ClaimNotOpen("pending"), LONG_REASON],
        example=examples.FULFILLED,
    )
    def fulfil(self, request: Request, claim_id: str) -> Response:
        """Confirm that the reward was sent, activated or used. Repeating the call changes nothing."""
        reason = self.body(ClaimReasonBody).get("reason")
        claim = services.fulfil(tenant=self.tenant, claim_id=claim_id, reason=reason, now=self.now)
        return Response(render(ClosedClaim, claim))
