"""Creates the definitions of the built-in tenants `demo` and `quickstart`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from participants.api.kinds import kind_of
from participants.models import Definition, Tenant


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
    data = {"code": blueprint.code, **blueprint.fields}
    kind_of(blueprint.model).create(tenant=tenant, data=data, now=now)


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
    if changes:
        kind_of(type(row)).update(row, tenant=tenant, changes=changes, now=now)
