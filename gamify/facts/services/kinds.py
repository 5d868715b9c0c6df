"""What can be given. The domains above register their kinds in `grants.py`, under the `type` that definitions name."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gamify.facts.engine.outcomes import Grant, Outcome
from participants.catalog import Catalog
from participants.engine import SHOWN_CHARACTERS, unknown_key_problem
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.registries import Registry
from participants.work import Load, UnitOfWork

Spec = Mapping[str, Any]


def _no_loads(catalog: Catalog, specs: Sequence[Spec]) -> Sequence[Load]:
    return ()


@dataclass(frozen=True)
class GrantKind:
    """How one kind is given, judged and loaded.

    `keys` are the keys that a definition may give beside `type`.
    `give(work, participant, grant)` may raise DomainError, as long as it has changed nothing: the grant is then left out.
    `problem(tenant, spec)` says why a definition may not name this grant, and where in it; `loads(catalog, specs)` the rows that
    `give` asks for.
    """

    give: Callable[[UnitOfWork, Participant, Grant], Iterable[Outcome]]
    problem: Callable[[Tenant, Spec], FieldError | None]
    loads: Callable[[Catalog, Sequence[Spec]], Sequence[Load]] = _no_loads
    keys: Sequence[str] = ()


grant_kinds: Registry[GrantKind] = Registry("Grant kind")


def grant_problem(tenant: Tenant, spec: Spec) -> FieldError | None:
    """Why a definition of `tenant` may not grant `spec`, or None if it may."""
    kind = spec.get("type")
    if not isinstance(kind, str) or kind not in grant_kinds:
        return FieldError("type", f"must be one of: {', '.join(sorted(grant_kinds))}")
    return _key_problem(spec, ("type", *grant_kinds[kind].keys)) or grant_kinds[kind].problem(tenant, spec)


def _key_problem(spec: Spec, known: Sequence[str]) -> FieldError | None:
    unknown = next((key for key in spec if key not in known), None)
    return None if unknown is None else FieldError(unknown[:SHOWN_CHARACTERS], unknown_key_problem(unknown, known))
