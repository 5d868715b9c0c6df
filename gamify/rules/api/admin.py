"""Rules, which need the admin scope."""

from collections.abc import Mapping
from typing import Any

from gamify.rules import services
from gamify.rules.api import examples
from gamify.rules.api.serializers import RuleAnswer
from gamify.rules.definitions import GrantsRefused, NewRule, RuleChanges, check_grants, model_of
from gamify.rules.models import Rule
from gamify.rules.services import NOUN, RuleNotFound
from participants.api.definitions import DefinitionViewSet, documented
from participants.errors import FieldError


@documented(
    created=examples.CREATED, errors=[GrantsRefused(FieldError("then.1.code", "must be the code of an active badge"))]
)
class AdminRuleViewSet(DefinitionViewSet):
    noun, model, serializer_class = NOUN, Rule, RuleAnswer
    create_body, update_body, not_found = NewRule, RuleChanges, RuleNotFound

    def perform_create(self, data: Mapping[str, Any]) -> Rule:
        check_grants(self.tenant, data["then"])
        return services.create_rule(tenant=self.tenant, data=model_of(data), now=self.now)

    def perform_update(self, row: Any, changes: Mapping[str, Any]) -> Rule:
        check_grants(self.tenant, changes.get("then", ()))
        return services.update_rule(row, tenant=self.tenant, changes=model_of(changes), now=self.now)
