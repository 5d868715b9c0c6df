"""Defines and changes rules."""

from collections.abc import Mapping
from copy import copy
from datetime import datetime
from typing import Any

from django.db import transaction

from gamify.rules.models import Rule
from gamify.rules.selectors.loops import endless_loops
from participants.errors import InvalidFields, NotFound
from participants.models import Tenant
from participants.services.definitions import create_definition, update_definition

NOUN = "rule"
TRIGGERS = frozenset({"event_types", "changes", "expression", "grants", "limits", "is_active"})
"""The fields that decide whether rules trigger each other."""


class RuleNotFound(NotFound):
    code = "rule_not_found"
    noun = "Rule"


@transaction.atomic
def create_rule(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Rule:
    """Define a rule. `data` has the field names of the model. Raises: CodeConflict, InvalidFields if it triggers itself without end."""
    _refuse_endless_loop(Rule(tenant=tenant, **data))
    return create_definition(Rule, noun=NOUN, tenant=tenant, data=data, now=now)


@transaction.atomic
def update_rule(row: Rule, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Rule:
    """Set the fields in `changes`. Firings that were counted towards limits stay counted.

    Raises: InvalidFields if the rule then triggers itself without end.
    """
    if TRIGGERS.intersection(changes):
        stored = Rule.objects.select_for_update().get(pk=row.pk)  # the row first, then the tenant, as everywhere
        _refuse_endless_loop(with_changes(stored, changes))
    return update_definition(row, tenant=tenant, changes=changes, now=now)


def with_changes(row: Rule, changes: Mapping[str, Any]) -> Rule:
    """Return an unsaved copy of `row` with `changes`, which are fields of the model."""
    draft = copy(row)
    for name, value in changes.items():
        setattr(draft, name, value)
    return draft


def _refuse_endless_loop(draft: Rule) -> None:
    """Lock the tenant, so that two changes cannot each add a half of the loop, and refuse `draft` if it is part of one."""
    if not (draft.is_active and draft.changes):
        return  # nothing that a definition gives triggers it
    Tenant.objects.select_for_update(no_key=True).get(pk=draft.tenant_id)
    others = Rule.objects.of(draft.tenant).active().exclude(pk=draft.pk)
    if problem := endless_loops([*others, draft]).get(draft.pk):
        raise InvalidFields(problem)
