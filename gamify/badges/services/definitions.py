"""Create and change badges. Their criteria must name what the tenant has, such as an existing streak."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from gamify.badges.models import Badge
from gamify.facts.services import badge_metrics
from participants.errors import FieldError, InvalidInput
from participants.models import Tenant
from participants.services.definitions import create_definition, update_definition

NOUN = "badge"


def create_badge(*, tenant: Tenant, data: Mapping[str, Any], now: datetime, checks_references: bool = True) -> Badge:
    """Create a badge.

    Raises: CodeConflict, or InvalidInput for criteria that name something the tenant does not have.
    """
    if checks_references:
        _check(tenant, data)
    return create_definition(Badge, noun=NOUN, tenant=tenant, data=data, now=now)


@transaction.atomic
def update_badge(
    row: Badge, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime, checks_references: bool = True
) -> Badge:
    """Change a badge. New criteria, activation and deactivation start a new revision of the criteria.

    Raises: InvalidInput for criteria that name something the tenant does not have.
    """
    if checks_references:
        _check(tenant, changes)
    if any(getattr(row, name) != changes[name] for name in ("criteria", "is_active") if name in changes):
        # Two concurrent edits must not take the same revision.
        newest = Badge.objects.of(tenant).select_for_update().get(pk=row.pk)
        changes = {**changes, "criteria_revision": newest.criteria_revision + 1}
    return update_definition(row, tenant=tenant, changes=changes, now=now)


def _check(tenant: Tenant, data: Mapping[str, Any]) -> None:
    if problem := criteria_problem(tenant, data.get("criteria")):
        raise InvalidInput(problem.field, problem.message)


def criteria_problem(tenant: Tenant, criteria: Mapping[str, Any] | None) -> FieldError | None:
    """The problem of valid criteria in this tenant, or None."""
    if criteria is None:
        return None
    problem = badge_metrics[criteria["metric"]].problem(tenant, criteria)
    return None if problem is None else FieldError(f"criteria.{problem.field}", problem.message)
