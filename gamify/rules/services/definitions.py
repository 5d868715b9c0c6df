"""Defines and changes rules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gamify.rules.models import Rule
from participants.errors import NotFound
from participants.models import Tenant
from participants.services.definitions import create_definition, update_definition

NOUN = "rule"


class RuleNotFound(NotFound):
    code = "rule_not_found"
    noun = "Rule"


def create_rule(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Rule:
    """Define a rule. `data` has the field names of the model. Raises: CodeConflict."""
    return create_definition(Rule, noun=NOUN, tenant=tenant, data=data, now=now)


def update_rule(row: Rule, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Rule:
    """Set the fields in `changes`. Firings that were counted towards limits stay counted."""
    return update_definition(row, tenant=tenant, changes=changes, now=now)
