"""The grant kind `streak_tick`: a definition ticks a streak."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gamify.facts.engine.outcomes import Grant, Outcome
from gamify.facts.services import GrantKind, code_of, grant_kinds
from participants.catalog import Catalog
from participants.errors import FieldError
from participants.models import Participant, Tenant
from participants.work import Load, UnitOfWork
from streaks.models import Streak
from streaks.models.definitions import any_tick
from streaks.services import grant_tick, loads_of_codes


def _give(work: UnitOfWork, participant: Participant, grant: Grant) -> Iterator[Outcome]:
    at, is_direct = grant.at or work.now, grant.event_id is None
    yield from grant_tick(work, participant, str(grant.spec["code"]), at=at, is_direct=is_direct)


def _problem(tenant: Tenant, spec: Mapping[str, Any]) -> FieldError | None:
    code = spec.get("code")
    found = Streak.objects.of(tenant).active().filter(code=code).values("condition").first()
    if not isinstance(code, str) or found is None:
        return FieldError("code", "must be the code of an active streak")
    problem = _target_problem(found)
    return None if problem is None else FieldError("code", problem)


def _target_problem(streak: Mapping[str, Any]) -> str | None:
    """Return why a grant cannot tick the streak with this body."""
    return None if streak["condition"]["type"] == any_tick()["type"] else "must be a streak that counts ticks"


def _loads(catalog: Catalog, specs: Sequence[Mapping[str, Any]]) -> Sequence[Load]:
    return loads_of_codes(catalog, [str(spec["code"]) for spec in specs])


def register() -> None:
    kind = GrantKind(
        label="Tick of a streak",
        give=_give,
        problem=_problem,
        fields={"code": code_of("streak", _target_problem)},
        loads=_loads,
        leads_to={"streak.incremented": "streak_code", "streak.milestone_reached": "streak_code"},
        suggestions=lambda tenant: Streak.objects.of(tenant).active().in_order().values_list("code", "name"),
    )
    grant_kinds.register("streak_tick", kind)
