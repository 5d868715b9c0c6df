"""The registry of grant kinds: what definitions can give. Each domain registers its kinds in `grants.py`.

Everything that is said about a kind is declared in its `GrantKind`. The OpenAPI document, the check of definitions, the console and
the linter of rules derive the rest.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import QuerySet

from gamify.facts.engine.outcomes import Grant, Outcome
from participants.catalog import Catalog, catalog_of
from participants.engine import SHOWN_CHARACTERS, unknown_key_problem
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.references import RefersTo
from participants.registries import Registry
from participants.work import Load, UnitOfWork

Spec = Mapping[str, Any]
REQUIRED: Final = object()


@dataclass(frozen=True, kw_only=True)
class GrantField:
    """One key of a grant beside `type`: its JSON schema, and what it means (one sentence).

    In the console, `label` names its input, and `placeholder` is shown while it is empty. A field with `choices` (labels by value)
    has a list to choose from. `is_property`: it holds the path of a property of the event. A field with a `default` may be left out. A field with `refers_to` holds the code or the id of a
    definition.
    """

    schema: Mapping[str, Any]
    about: str
    label: str
    placeholder: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    default: Any = REQUIRED
    refers_to: RefersTo | None = None
    is_property: bool = False

    @property
    def is_id(self) -> bool:
        """Whether it holds the id of a definition. People choose its name instead."""
        return self.refers_to is not None and self.refers_to.is_by_id

    @property
    def is_reference(self) -> bool:
        return self.refers_to is not None

    @property
    def is_required(self) -> bool:
        return self.default is REQUIRED


def code_of(noun: str, problem: Callable[[Spec], str | None] | None = None) -> GrantField:
    """Return the field `code` of a grant that gives a definition of the kind `noun`. `problem` as in `RefersTo`."""
    refers_to = RefersTo(noun) if problem is None else RefersTo(noun, problem=problem)
    return GrantField(schema={"type": "string"}, about="code of what is given.", label="Code", refers_to=refers_to)


@dataclass(frozen=True)
class GrantForm:
    """One way to fill in a grant in the console: its label, and the names of the fields that it uses."""

    label: str
    fields: Sequence[str]


def _no_loads(catalog: Catalog, specs: Sequence[Spec]) -> Sequence[Load]:
    return ()


@dataclass(frozen=True, kw_only=True)
class GrantKind:
    """One kind of grant.

    - `label`: its name for people.
    - `give(work, participant, grant)`: gives it. It may raise DomainError as long as it has changed nothing: the pipeline then leaves
      the grant out and records the reason.
    - `problem(tenant, spec)`: why a definition of `tenant` may not name this grant, and in which field; None if it may.
    - `fields`: the keys of a grant beside `type`. Kinds that use the same key declare the same schema for it.
    - `loads(catalog, specs)`: the rows that `give` reads.
    - `leads_to`: the domain events that giving it can emit. The value is the dotted path at which the event carries the code of what
      was given; None if it carries no code.
    - `endless`: those of `leads_to` that follow however often it was given before. The others end a chain of rules through them: a badge is
      earned once, a ladder has a top, a window of a streak is satisfied once, and claims of a reward have a limit or a stock.
    - `suggestions(tenant)`: what a reference can name, as rows of (code or id, name).
    - `names(tenant)`: rows of (id, name) of all that a reference by id can mean, in use or not. Kinds that refer by code need none.
    - `in_words(spec)`: the grant for people; by default the label and the reference.
    - `forms`: the ways to fill it in, by name, if there are several; by default one that uses all fields.
    """

    label: str
    give: Callable[[UnitOfWork, Participant, Grant], Iterable[Outcome]]
    problem: Callable[[Tenant, Spec], FieldError | None]
    fields: Mapping[str, GrantField] = field(default_factory=dict)
    loads: Callable[[Catalog, Sequence[Spec]], Sequence[Load]] = _no_loads
    leads_to: Mapping[str, str | None] = field(default_factory=dict)
    endless: Collection[str] = ()
    suggestions: Callable[[Tenant], QuerySet[Any, Any]] | None = None
    names: Callable[[Tenant], QuerySet[Any, Any]] | None = None
    in_words: Callable[[Spec], str] | None = None
    forms: Mapping[str, GrantForm] = field(default_factory=dict)


grant_kinds: Registry[GrantKind] = Registry("Grant kind")


def reference_names(tenant: Tenant) -> Mapping[str, str]:
    """Return the names of everything that definitions of `tenant` can refer to by id, by this id. Cached with the catalog."""
    return catalog_of(tenant).derive("names of references", lambda catalog: _names(catalog.tenant))


def _names(tenant: Tenant) -> Mapping[str, str]:
    sources = [kind.names for kind in grant_kinds.values() if kind.names is not None]
    return {str(pk): name for names in sources for pk, name in names(tenant)}


def grant_problem(tenant: Tenant, spec: Spec) -> FieldError | None:
    """Return why a definition of `tenant` may not grant `spec`, or None if it may."""
    return grant_key_problem(spec) or grant_kinds[spec["type"]].problem(tenant, spec)


def grant_key_problem(spec: Spec) -> FieldError | None:
    """Return what is wrong with the type or the keys of a grant, or None. What it refers to is not checked."""
    kind = spec.get("type")
    if not isinstance(kind, str) or kind not in grant_kinds:
        return FieldError("type", f"must be one of: {', '.join(sorted(grant_kinds))}")
    return _key_problem(spec, ("type", *grant_kinds[kind].fields))


def _key_problem(spec: Spec, known: Sequence[str]) -> FieldError | None:
    unknown = next((key for key in spec if key not in known), None)
    return None if unknown is None else FieldError(unknown[:SHOWN_CHARACTERS], unknown_key_problem(unknown, known))
