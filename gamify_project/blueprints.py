"""Creates the definitions of the built-in tenants `demo` and `quickstart`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from gamify.badges.models import Badge
from gamify.badges.services import update_badge
from gamify.leaderboards.models import Leaderboard
from gamify.leaderboards.services import update_leaderboard
from participants.models import Definition, Tenant
from participants.services.definitions import create_definition, update_definition
from streaks.models import Streak
from streaks.services import update_streak


@dataclass(frozen=True)
class Blueprint:
    """The intended state of a definition. `data` are the fields of `model` besides code and name."""

    model: type[Definition]
    code: str
    name: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> dict[str, Any]:
        return {"name": self.name, "is_active": True, **self.data}


def create_missing(tenant: Tenant, blueprints: Sequence[Blueprint], *, now: datetime) -> None:
    """Create the definitions whose code does not exist. Existing definitions stay as they are."""
    for blueprint in blueprints:
        if not blueprint.model._default_manager.filter(tenant=tenant, code=blueprint.code).exists():
            _create(tenant, blueprint, now=now)
    tenant.refresh_from_db()


def _create(tenant: Tenant, blueprint: Blueprint, *, now: datetime) -> None:
    noun = str(blueprint.model._meta.model_name)
    data = {"code": blueprint.code, **blueprint.fields}
    create_definition(blueprint.model, noun=noun, tenant=tenant, data=data, now=now)


@transaction.atomic
def restore(tenant: Tenant, blueprints: Sequence[Blueprint], *, now: datetime) -> None:
    """Make `blueprints` the only active definitions of their kinds, with exactly their fields."""
    create_missing(tenant, blueprints, now=now)
    wanted = {(blueprint.model, blueprint.code): blueprint for blueprint in blueprints}
    for model in dict.fromkeys(blueprint.model for blueprint in blueprints):
        for row in model._default_manager.filter(tenant=tenant):
            blueprint = wanted.get((model, row.code))
            _change(row, tenant, {"is_active": False} if blueprint is None else blueprint.fields, now=now)
    tenant.refresh_from_db()


def _change(row: Definition, tenant: Tenant, fields: Mapping[str, Any], *, now: datetime) -> None:
    changes = {name: value for name, value in fields.items() if getattr(row, name) != value}
    if not changes:
        return
    if isinstance(row, Streak):
        update_streak(row, tenant=tenant, changes=changes, now=now)
    elif isinstance(row, Badge):
        update_badge(row, tenant=tenant, changes=changes, now=now)
    elif isinstance(row, Leaderboard):
        update_leaderboard(row, tenant=tenant, changes=changes, now=now)
    else:
        update_definition(row, tenant=tenant, changes=changes, now=now)
