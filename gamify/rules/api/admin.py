"""Rules, and the simulation of events, for keys with the admin scope."""

from collections.abc import Mapping
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from gamify.facts.services import simulate
from gamify.rules import services
from gamify.rules.api import examples
from gamify.rules.api.serializers import RuleAnswer, SimulateBody, SimulatedAnswer, simulated_answer, simulated_event
from gamify.rules.definitions import NewRule, RuleChanges, check_grants, model_values
from gamify.rules.models import Rule
from gamify.rules.services import NOUN, RuleNotFound
from participants.api.definitions import DefinitionViewSet, document_endpoints
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.errors import InvalidInput


@document_endpoints(
    created=examples.CREATED, errors=[InvalidInput("then.1.code", "must be the code of an active badge")]
)
class AdminRuleViewSet(DefinitionViewSet):
    noun, model, serializer_class = NOUN, Rule, RuleAnswer
    create_body, update_body, not_found = NewRule, RuleChanges, RuleNotFound

    def perform_create(self, data: Mapping[str, Any]) -> Rule:
        check_grants(self.tenant, data["then"])
        return services.create_rule(tenant=self.tenant, data=model_values(data), now=self.now)

    def perform_update(self, row: Any, changes: Mapping[str, Any]) -> Rule:
        check_grants(self.tenant, changes.get("then", ()))
        return services.update_rule(row, tenant=self.tenant, changes=model_values(changes), now=self.now)


class SimulationViewSet(AdminViewSet):
    @operation(
        "simulate_event",
        body=SimulateBody,
        answer=SimulatedAnswer,
        errors=[InvalidInput("timestamp", "Must not be more than 5 minutes in the future.")],
        example=examples.SIMULATED,
    )
    def simulate(self, request: Request) -> Response:
        """Simulate an event: return what it would earn, and why. All definitions that listen are evaluated, without any effect.

        If the participant is left out or unknown, a new one is assumed. Ids in the answer are not valid afterwards.
        """
        event = simulated_event(self.body(SimulateBody), now=self.now)
        simulated = simulate(tenant=self.tenant, event=event, now=self.now)
        return Response(render(SimulatedAnswer, simulated_answer(simulated)))
