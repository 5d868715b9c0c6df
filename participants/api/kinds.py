"""The kinds of definitions. Each domain registers its own in `definitions.py`; the programme file and blueprints derive from them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db.models import Count, Model
from rest_framework.serializers import Serializer

from participants.errors import FieldError
from participants.models import Definition, Tenant
from participants.registries import Registry
from participants.services.definitions import create_definition, update_definition

Body = Mapping[str, Any]
"""A whole definition as JSON: what a request would send to create it."""

Fields = Mapping[str, Any]
"""Values by field of the model."""

Reach = Callable[[Tenant, Sequence[Any]], Mapping[UUID, int]]
"""`reach(tenant, rows)` counts the participants who have something of each definition, by id. Missing definitions have none."""


Conflicts = Callable[[Iterable[Any]], Mapping[UUID, FieldError]]


@cache
def _instance_of(body: type[Serializer[Any]]) -> Serializer[Any]:
    return body()


def _same_fields(data: Fields, row: Any) -> Fields:
    return data


def _no_defaults(tenant: Tenant) -> Body:
    return {}


def _no_conflicts(rows: Iterable[Any]) -> Mapping[UUID, FieldError]:
    return {}


def _reaches_nobody(tenant: Tenant, rows: Sequence[Any]) -> Mapping[UUID, int]:
    return {}


@dataclass(frozen=True, kw_only=True)
class DefinitionKind:
    """One kind of definition.

    - `noun`, `plural`: its name in messages, and the name of its list in a programme file.
    - `body`: the serializer of the whole definition. A programme file has its fields, in this order.
    - `create(tenant=, data=, now=)` and `update(row, tenant=, changes=, now=)` write it. `data` and `changes` are fields of the
      model. They do not check what the definition refers to, because a programme does that for all definitions together.
    - `to_body(row)`: the body of a stored definition. Default: the fields of `body`, read from the row.
    - `to_fields(data, row)`: fields of the model, from validated data of `body`. `row` is the definition that changes, or None.
    - `tenant_defaults(tenant)`: fields of the body whose default depends on the tenant. A file always contains them.
    - `archived`: fields of a definition that is no longer in use.
    - `identity`: the field of the body that identifies the definition within its tenant. If it is not unique, definitions with
      the same identity are distinguished by their order.
    - `conflicts(rows)`: what is wrong with definitions together, such as a circle that never ends: a FieldError by the id of each
      definition that is concerned. The field is one of the body. `rows` are all definitions of this kind in a tenant.
    - `reach`: how many participants a change affects.
    """

    noun: str
    plural: str
    model: type[Model]
    body: type[Serializer[Any]]
    create: Callable[..., Any]
    update: Callable[..., Any]
    to_body: Callable[[Any], Body] | None = None
    to_fields: Callable[[Fields, Any], Fields] = _same_fields
    tenant_defaults: Callable[[Tenant], Body] = _no_defaults
    archived: Fields = field(default_factory=lambda: {"is_active": False})
    identity: str = "code"
    is_identity_unique: bool = True
    conflicts: Conflicts = _no_conflicts
    reach: Reach = _reaches_nobody

    def body_of(self, row: Any) -> dict[str, Any]:
        """Return the body of `row`, a stored or an unsaved definition."""
        shown: Body = self.shared_body.to_representation(row) if self.to_body is None else self.to_body(row)
        return dict(shown)

    @property
    def shared_body(self) -> Serializer[Any]:
        """One unbound serializer for all uses. Creating one copies all its fields."""
        return _instance_of(self.body)

    def defaults(self, tenant: Tenant) -> dict[str, Any]:
        """Return the values of fields that a body of a new definition of `tenant` may leave out."""
        fields, blank = self.shared_body.fields, self.body_of(self.model())
        optional = {name: value for name, value in blank.items() if not fields[name].required}
        return {**optional, **self.tenant_defaults(tenant)}


definition_kinds: Registry[DefinitionKind] = Registry("Kind of definition")


def register_kind(kind: DefinitionKind) -> None:
    """Add `kind` to the registry. Raises ValueError if its noun is taken."""
    definition_kinds.register(kind.noun, kind)


def plain_kind(
    noun: str, plural: str, model: type[Definition], body: type[Serializer[Any]], **declared: Any
) -> DefinitionKind:
    """Return the kind of a definition without services of its own. `declared` are further fields of the kind."""
    create = partial(create_definition, model, noun=noun)
    return DefinitionKind(
        noun=noun, plural=plural, model=model, body=body, create=create, update=update_definition, **declared
    )


def kind_of(model: type[Model]) -> DefinitionKind:
    """Return the kind whose definitions are rows of `model`. Raises StopIteration if there is none."""
    return next(kind for kind in definition_kinds.values() if kind.model is model)


def shown(row: Any, name: str, field: Any) -> Any:
    """Return the column `name` of `row` as the serializer field shows it."""
    value = getattr(row, name)
    return None if value is None else field.to_representation(value)


def participants_with(model: type[Model], column: str) -> Reach:
    """Return a `Reach` that counts participants with rows of `model`, whose `column` is the id of the definition."""

    def reach(tenant: Tenant, rows: Sequence[Any]) -> Mapping[UUID, int]:
        theirs = model._default_manager.filter(tenant_id=tenant.pk, **{f"{column}__in": [row.pk for row in rows]})
        counted = theirs.order_by().values(column).annotate(people=Count("participant_id", distinct=True))
        return dict(counted.values_list(column, "people"))

    return reach
